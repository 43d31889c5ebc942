import LinuxSystem

/// Control connections come from holdfastd, over the channel, one for each time that they are asked for.
final class ControlConnections {
    /// Asks holdfastd for one, under an id.
    var onOpen: (Int) -> Void = { _ in }

    private var next = 1
    private var waiting: [Int: (UnixStream) -> Void] = [:]

    /// - Parameter completion: never called when holdfastd does not answer; callers bound their wait.
    func open(_ completion: @escaping (UnixStream) -> Void) -> Int {
        let id = next
        next += 1
        waiting[id] = completion
        onOpen(id)
        return id
    }

    func cancel(_ id: Int) { waiting[id] = nil }

    func arrived(_ id: Int, _ descriptor: SharedDescriptor) {
        guard let completion = waiting.removeValue(forKey: id), let socket = descriptor.take() else { return }
        try? SystemCall.setNonBlocking(socket.rawValue)
        completion(UnixStream(owning: socket))
    }
}
