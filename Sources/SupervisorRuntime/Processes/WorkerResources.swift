import LinuxSystem

/// What belongs to a worker for as long as it is part of the tree, whichever process it has: its notify socket and its
/// output FIFO, and the
/// socket for its telemetry. Both ends of the FIFO are held here: nothing written is dropped while nobody drains it, and its reader
/// never takes the moment between two processes for the end of the output.
final class WorkerResources {
    let name: String
    let notifySocket: NotifySocket
    var notifyRegistration: EventLoop.Registration?
    /// `nil` when it is to send none.
    var telemetry: TelemetrySocket?
    /// `holdfast-output` sends on what of its output is telemetry.
    var printsTelemetry = false
    let fifoPath: String
    let fifo: SharedDescriptor
    private var fifoOwner: UInt32?
    /// What the worker last said with STATUS=.
    var statusText: String?
    /// Messages from strangers; the first of each instance is reported.
    var refusedMessages = 0

    /// - Parameter pipeBytes: the FIFO's size; `nil` for the kernel's default.
    /// - Parameter inherited: what a supervisor before us has left; taken from it as far as it still is what the paths
    ///   lead to. A worker that is connected to its notify socket then need not connect again, and nothing that waits in
    ///   socket or FIFO is lost.
    init(
        name: String, in directories: RuntimeDirectory, pipeBytes: Int?, inherited: inout InheritedDescriptors
    ) throws(SystemError) {
        self.name = name
        let socketPath = directories.notifySocket(of: name)
        let former = inherited.take(StoredDescriptor.notifySocket(of: name).name) {
            NotifySocket(adopting: $0, at: socketPath)
        }
        notifySocket = if let former { former } else { try NotifySocket(path: socketPath) }
        let fifoPath = directories.fifo(of: name)
        try FIFO.create(fifoPath)
        let formerFIFO = inherited.take(StoredDescriptor.output(of: name).name) { descriptor -> SharedDescriptor? in
            guard (try? FIFO.isAt(fifoPath, descriptor.rawValue)) == true else { return nil }
            return SharedDescriptor(descriptor)
        }
        self.fifoPath = fifoPath
        fifo = if let formerFIFO { formerFIFO } else { SharedDescriptor(try FIFO.openBothEnds(fifoPath)) }
        // Refused beyond /proc/sys/fs/pipe-max-size without privilege: the default size serves as well.
        if let pipeBytes, let number = fifo.rawValue { _ = try? FIFO.setCapacity(number, pipeBytes) }
    }

    /// Makes the FIFO the worker's own: programs open /dev/stdout and /dev/stderr, and the kernel then judges the FIFO's
    /// owner and mode anew. Nobody else can reach it, for its folder is closed.
    func letOpenFIFO(_ uid: UInt32) throws(SystemError) {
        guard uid != fifoOwner else { return }
        try SystemCall.changeOwner(of: fifoPath, uid: uid, gid: nil)
        fifoOwner = uid
    }

    /// Removes the worker's files. Its FIFO lives on in the hands of who has it open.
    func remove() {
        try? SystemCall.removeFile(fifoPath)
    }
}
