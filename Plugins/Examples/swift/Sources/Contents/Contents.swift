import Glibc
import HoldfastPlugin

/// Looks into an artifact: how many bytes and lines it has.
///
///     contents.inspect  {"artifact": "notes/today.txt", "sha256": "..."}  ->  {"bytes": 12, "lines": 2}
struct Contents: Executor {
    static let plugin = PluginDescription(
        name: "contents", version: "1.0.0", summary: "Looks into artifacts.",
        kinds: [.init("contents.inspect", [.parallel, .repeatable, .cancellable], summary: "Counts bytes and lines.")],
        grants: [.artifact])

    func execute(_ command: Command, on host: Host) throws -> JSON {
        guard let name = command.payload["artifact"]?.string, let digest = command.payload["sha256"]?.string else {
            throw PluginFailure("the payload names no artifact, such as {\"artifact\": \"a.txt\", \"sha256\": \"...\"}")
        }
        let file = try host.fetchArtifact(name, sha256: digest)
        defer { close(file) }
        let size = Int(lseek(file, 0, SEEK_END))
        lseek(file, 0, SEEK_SET)
        var (bytes, lines) = (0, 0)
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            try host.checkCancellation()
            let count = read(file, &buffer, buffer.count)
            guard count >= 0 else { throw PluginFailure("\(name) cannot be read: \(String(cString: strerror(errno)))") }
            if count == 0 { break }
            bytes += count
            lines += buffer.prefix(count).count { $0 == UInt8(ascii: "\n") }
            host.progress(size > 0 ? bytes * 100 / size : nil, "counting")
        }
        return ["bytes": .int(bytes), "lines": .int(lines)]
    }
}

@_cdecl("hf_plugin_entry_v1")
public func entry() -> UnsafeRawPointer { PluginEntry.descriptor(of: Contents.self) }
