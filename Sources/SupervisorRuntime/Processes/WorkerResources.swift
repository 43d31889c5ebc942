import LinuxSystem

/// What belongs to a worker for as long as it is part of the tree, whichever process it has: its notify socket and its
/// output FIFO. Both ends of the FIFO are held here: nothing written is dropped while nobody drains it, and its reader
/// never takes the moment between two processes for the end of the output.
final class WorkerResources {
    let name: String
    let notifySocket: NotifySocket
    var notifyRegistration: EventLoop.Registration?
    let fifoPath: String
    let fifo: SharedDescriptor
    /// What the worker last said with STATUS=.
    var statusText: String?
    /// Messages from strangers; the first of each instance is reported.
    var refusedMessages = 0

    /// - Parameter pipeBytes: the FIFO's size; `nil` for the kernel's default.
    init(name: String, in directories: RuntimeDirectory, pipeBytes: Int?) throws(SystemError) {
        self.name = name
        notifySocket = try NotifySocket(path: directories.notifySocket(of: name))
        fifoPath = directories.fifo(of: name)
        try FIFO.create(fifoPath)
        let ends = try FIFO.openBothEnds(fifoPath)
        // Refused beyond /proc/sys/fs/pipe-max-size without privilege: the default size serves as well.
        if let pipeBytes { _ = try? FIFO.setCapacity(ends.rawValue, pipeBytes) }
        fifo = SharedDescriptor(ends)
    }

    /// Removes the worker's files. Its FIFO lives on in the hands of who has it open.
    func remove() {
        try? SystemCall.removeFile(fifoPath)
    }
}
