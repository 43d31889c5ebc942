import ControlProtocol
import LinuxSystem

/// What somebody who cannot reach the device wants to see of it: a JSON object with a member for each file, compressed.
struct Diagnostics {
    let client: ControlClient
    let status: () -> UplinkStatus

    private static let methods: [(name: String, method: RuntimeMethod)] = [
        ("status.json", .status), ("health.json", .health), ("incidents.json", .incidents(worker: nil, limit: 200)),
        ("metrics.txt", .metrics),
    ]
    private static let files = [
        "/proc/meminfo", "/proc/loadavg", "/proc/uptime", "/proc/mounts", "/proc/pressure/memory", "/proc/pressure/cpu",
        "/proc/pressure/io", "/proc/net/dev", "/proc/version", "/etc/os-release",
    ]
    /// Of one file.
    private static let largestFile = 64 * 1024

    /// - Parameter completion: with the archive, or `nil` when there is no memory.
    func collect(_ completion: @escaping ([UInt8]?) -> Void) {
        var archive: JSONObject = ["uplink.json": .string(status().json.text)]
        for path in Self.files {
            guard let bytes = try? SystemCall.readFile(path, limit: Self.largestFile) else { continue }
            archive[path] = .string(String(decoding: bytes.filter { $0 != 0 }, as: UTF8.self))
        }
        ask(Self.methods[...], archive, completion)
    }

    private func ask(
        _ methods: ArraySlice<(name: String, method: RuntimeMethod)>, _ archive: JSONObject,
        _ completion: @escaping ([UInt8]?) -> Void
    ) {
        guard let (name, method) = methods.first else { return finish(archive, completion) }
        client.call(method) { result in
            var archive = archive
            switch result {
            case .success(let replies):
                let reply = replies.first ?? [:]
                archive[name] = .string(reply["text"]?.stringValue ?? JSONValue.object(reply).text)
            case .failure(let failure): archive[name] = .string("not there: \(failure)")
            }
            ask(methods.dropFirst(), archive, completion)
        }
    }

    private func finish(_ archive: JSONObject, _ completion: ([UInt8]?) -> Void) {
        guard var gzip = Gzip() else { return completion(nil) }
        gzip.add(JSONValue.object(archive).serialised())
        completion(gzip.end())
    }
}
