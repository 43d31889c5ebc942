import ControlProtocol
import LinuxSystem

/// What central may want to know of the machine.
enum DeviceFacts {
    #if arch(x86_64)
        private static let architecture = "x86_64"
    #elseif arch(arm64)
        private static let architecture = "aarch64"
    #elseif arch(arm)
        private static let architecture = "armv7"
    #else
        private static let architecture = "unknown"
    #endif

    static func current() -> JSONObject {
        var facts: JSONObject = [
            "architecture": .string(architecture), "host": .string(HostName.current()),
            "processors": .int(Int64(MachineConstants.processors)),
        ]
        facts["kernel"] = firstLine("/proc/sys/kernel/osrelease").map { .string($0) }
        facts["model"] = (firstLine("/proc/device-tree/model") ?? firstLine("/sys/class/dmi/id/product_name")).map {
            .string($0)
        }
        facts["system"] = value(of: "PRETTY_NAME=", in: "/etc/os-release").map { .string($0) }
        if let text = value(of: "MemTotal:", in: "/proc/meminfo"), let first = text.split(separator: " ").first,
            let kibibytes = Int64(first)
        {
            facts["memory"] = .int(kibibytes * 1024)
        }
        return facts
    }

    private static func text(_ path: String) -> String? {
        (try? SystemCall.readFile(path, limit: 4096)).map { String(decoding: $0.filter { $0 != 0 }, as: UTF8.self) }
    }

    private static func firstLine(_ path: String) -> String? {
        text(path)?.split(separator: "\n").first.map { String($0.prefix(128)) }
    }

    private static func value(of key: String, in path: String) -> String? {
        let line = text(path)?.split(separator: "\n").first { $0.hasPrefix(key) }
        return line.map { String($0.dropFirst(key.count).drop { $0 == " " }.filter { $0 != "\"" }.prefix(128)) }
    }
}
