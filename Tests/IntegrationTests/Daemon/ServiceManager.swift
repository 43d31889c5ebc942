import LinuxSystem
import MonotonicTime
import Testing

/// Plays what systemd is for a service with an fd store (FDSTORE=1, sd_pid_notify_with_fds(3)).
final class ServiceManager {
    private let socket: UnixDatagramSocket
    /// Newest first, as systemd keeps and passes them.
    private(set) var stored: [(name: String, descriptor: SharedDescriptor)] = []
    /// All assignments so far that are not about the store.
    private(set) var heard: [String] = []

    init() throws {
        var generator = SystemRandomNumberGenerator()
        socket = try UnixDatagramSocket(
            path: "/tmp/holdfast-manager-\(UInt32.random(in: 0 ... .max, using: &generator))", permissions: 0o666,
            passCredentials: true)
    }

    /// What the daemon has to find in its environment.
    var environment: [String: String] { ["NOTIFY_SOCKET": socket.path] }

    subscript(name: String) -> SharedDescriptor? { stored.first { $0.name == name }?.descriptor }

    var names: Set<String> { Set(stored.map(\.name)) }

    /// Hears the daemon out until the condition holds.
    func listen(within limit: Duration = .seconds(20), until condition: () throws -> Bool) throws {
        let deadline = MonotonicClock.now() + limit
        while true {
            try takeMessages()
            if try condition() { return }
            let left = MonotonicClock.now().duration(to: deadline)
            try #require(left > .zero, "it never said so; stored: \(names)")
            _ = try SystemCall.wait(for: socket.rawValue, .readable, timeout: min(left, .milliseconds(50)))
        }
    }

    /// Removes a descriptor of its own accord.
    func drop(_ name: String) {
        stored.removeAll { $0.name == name }
    }

    private func takeMessages() throws {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 * 1024, alignment: 16)
        defer { buffer.deallocate() }
        while case .done(let message) = try socket.receive(into: buffer) {
            let lines = String(decoding: buffer.prefix(message.count), as: UTF8.self).split(separator: "\n")
            let name = lines.first { $0.hasPrefix("FDNAME=") }.map { String($0.dropFirst(7)) } ?? "stored"
            if lines.contains("FDSTORE=1") {
                #expect(lines.contains("FDPOLL=0"))
                for descriptor in message.descriptors { stored.insert((name, descriptor), at: 0) }
            } else if lines.contains("FDSTOREREMOVE=1") {
                drop(name)
            } else {
                heard += lines.map(String.init)
            }
        }
    }
}
