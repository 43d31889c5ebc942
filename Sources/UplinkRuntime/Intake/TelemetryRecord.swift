import ControlProtocol
import MonotonicTime

/// Writes records as they go through the spool to central (docs/fleet-protocol.md, "Records").
struct TelemetryRecord {
    /// When it came.
    struct Moment {
        /// In milliseconds since 1970, and since boot.
        var wall: Int64
        var sinceBoot: Int64

        init(wall: Int64, _ now: MonotonicInstant) {
            self.wall = wall
            sinceBoot = now.nanoseconds / 1_000_000
        }
    }

    /// `"b":"3e1a99d04c5b"`.
    private let boot: [UInt8]

    /// - Parameter bootID: as /proc/sys/kernel/random/boot_id has it.
    init(bootID: String) {
        var bytes = Array(#","b":"#.utf8)
        JSONValue.append(quoted: String(bootID.filter { $0 != "-" }.prefix(12)), to: &bytes)
        boot = bytes
    }

    func bytes(_ line: TelemetryLine, of worker: String, at moment: Moment, mayRepeat: Bool) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(192)
        switch line {
        case .reading(let values, let time):
            bytes.append(contentsOf: #"{"w":"#.utf8)
            JSONValue.append(quoted: worker, to: &bytes)
            append(time ?? moment.wall, moment, to: &bytes)
            bytes.append(contentsOf: #","v":"#.utf8)
            JSONValue.object(values).append(to: &bytes)
        case .event(let name, let data, let time):
            bytes.append(contentsOf: #"{"e":"worker","w":"#.utf8)
            JSONValue.append(quoted: worker, to: &bytes)
            bytes.append(contentsOf: #","name":"#.utf8)
            JSONValue.append(quoted: name, to: &bytes)
            append(time ?? moment.wall, moment, to: &bytes)
            bytes.append(contentsOf: #","data":"#.utf8)
            JSONValue.object(data).append(to: &bytes)
        }
        if mayRepeat { bytes.append(contentsOf: #","r":true"#.utf8) }
        bytes.append(UInt8(ascii: "}"))
        return bytes
    }

    /// An event that says what of a worker was not taken in.
    func loss(_ reason: TelemetryFault.Reason, _ count: Int, of worker: String, at moment: Moment) -> [UInt8] {
        var bytes = Array(#"{"e":"loss","w":"#.utf8)
        JSONValue.append(quoted: worker, to: &bytes)
        append(moment.wall, moment, to: &bytes)
        bytes.append(contentsOf: ",\"reason\":\"\(reason.rawValue)\",\"count\":\(count)}".utf8)
        return bytes
    }

    private func append(_ time: Int64, _ moment: Moment, to bytes: inout [UInt8]) {
        bytes.append(contentsOf: #","t":"#.utf8)
        bytes.append(contentsOf: String(time).utf8)
        bytes.append(contentsOf: boot)
        bytes.append(contentsOf: #","m":"#.utf8)
        bytes.append(contentsOf: String(moment.sinceBoot).utf8)
    }
}
