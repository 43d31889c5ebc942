import ControlProtocol
import FleetTransfer
import LinuxSystem

extension FleetClient {
    /// Looks at something again whenever central has news of it, until it is as it should be.
    /// - Parameters:
    ///   - topic: of the news.
    ///   - isNews: whether the data of an event are about it.
    ///   - isDone: whether it is as it should be.
    func watch(
        _ path: String, topic: String, isNews: @escaping (JSONValue) -> Bool, isDone: (JSONValue) -> Bool
    ) throws(CommandError) -> JSONValue {
        var splitter = EventStreamSplitter()
        // The first look is made once the stream is open: whatever changes after it comes as news.
        var isDue = false
        var stream = order("GET", "/stream", ["topics": topic], nil)
        stream.timeout = nil
        stream.onData = { bytes in
            let events = splitter.take(bytes)
            isDue =
                isDue || !splitter.hasBegun
                || events.contains { event in
                    (try? JSONValue.parse(event.data, limits: .reply)).map(isNews) ?? false
                }
            splitter.hasBegun = true
        }
        var ended: Result<HTTPAnswer, Transfer.Failure>?
        transfer.begin(stream) { ended = $0 }
        var look: Result<HTTPAnswer, Transfer.Failure>?
        var isLooking = false
        while true {
            if isDue, !isLooking {
                (isDue, isLooking) = (false, true)
                transfer.begin(order("GET", path, [:], nil)) { look = $0 }
            }
            try turn()
            if let result = look {
                (look, isLooking) = (nil, false)
                let state = try json(try judge(try answer(of: result)))
                if isDone(state) { return state }
            }
            if let ended {
                _ = try judge(try answer(of: ended))
                throw CommandError(code: .disconnected, message: "central at \(base) has ended the stream")
            }
        }
    }

    /// Server-sent events, one after the other, until the connection ends.
    func follow(_ topics: String, device: String?, _ take: @escaping (JSONValue) -> Void) throws(CommandError) {
        var splitter = EventStreamSplitter()
        var stream = order("GET", "/stream", ["topics": topics, "device": device], nil)
        stream.timeout = nil
        stream.onData = { bytes in
            for event in splitter.take(bytes) {
                if let json = try? JSONValue.parse(event.data, limits: .reply) { take(json) }
            }
        }
        var ended: Result<HTTPAnswer, Transfer.Failure>?
        transfer.begin(stream) { ended = $0 }
        while true {
            if let ended {
                _ = try judge(try answer(of: ended))
                throw CommandError(code: .disconnected, message: "central at \(base) has ended the stream")
            }
            try turn()
        }
    }
}
