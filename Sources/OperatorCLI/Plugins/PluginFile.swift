import LinuxSystem

/// A plugin's file, and what can be said of it without loading it.
struct PluginFile {
    /// The largest that is loaded, in bytes.
    static let largest = 256 << 20

    let path: String
    /// Open at what `path` named.
    let descriptor: SharedDescriptor
    let status: FileStatus

    /// - Throws: `CommandError` when there is no file that can be read.
    init(path: String) throws(CommandError) {
        do throws(SystemError) {
            let file = try SystemCall.open(path, [.readOnly, .nonBlocking])
            status = try SystemCall.status(file.rawValue)
            descriptor = SharedDescriptor(file)
        } catch {
            throw CommandError(
                code: error.isPermissionDenied ? .notPermitted : .failed,
                message: "\(path.escapedForTerminal) cannot be read: \(error.message)")
        }
        guard status.kind == .regular else {
            throw CommandError(code: .failed, message: "\(path.escapedForTerminal) is no file")
        }
        // The linker takes a name without a slash for one to be searched.
        self.path = path.contains("/") ? path : "./\(path)"
    }

    /// The folder that it is in.
    var folder: String {
        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        return folder.isEmpty ? "/" : folder
    }

    /// A sealed copy, as a device makes one before it loads a plugin.
    func sealed() throws(SystemError) -> SharedDescriptor {
        guard let number = descriptor.rawValue else { throw SystemError(call: "open", errno: SystemError.noSuchEntry) }
        return SharedDescriptor(try SystemCall.sealedCopy(of: number, named: "plugin", limit: Self.largest))
    }

    // MARK: What is wrong with it

    /// Who could change it between the check of its digest and its next load.
    func ownershipFaults() -> [PluginFinding] {
        guard status.mode & 0o022 != 0 else { return [] }
        let mode = String(status.mode & 0o7777, radix: 8)
        return [
            PluginFinding(
                "mode", "its mode is \(mode), so that others than its owner can change it: chmod go-w")
        ]
    }

    /// What to mend before it is installed, but not for a trial.
    func ownershipNotes() -> [String] {
        status.uid == 0 ? [] : ["on a device it has to belong to root: chown root"]
    }

    /// What is wrong with its head. An empty list: it is a library for this machine.
    func formatFaults() -> [PluginFinding] {
        guard let bytes = head(of: path) else { return [PluginFinding("format", "it is no library: it is empty")] }
        guard let head = ELFHead(bytes) else {
            return [PluginFinding("format", "it is no ELF file, as shared libraries on Linux are")]
        }
        var faults: [PluginFinding] = []
        if let ours = self.head(of: "/proc/self/exe").flatMap({ ELFHead($0) }), !head.isSameMachine(as: ours) {
            faults.append(
                PluginFinding("architecture", "it is for \(head.machineName), and this machine is \(ours.machineName)"))
        }
        if head.type != ELFHead.sharedObject {
            faults.append(
                PluginFinding("format", "it is \(head.typeName), and no shared library: link it with -shared"))
        }
        return faults
    }

    private func head(of path: String) -> [UInt8]? {
        guard let bytes = try? SystemCall.readFile(path, limit: ELFHead.size), !bytes.isEmpty else { return nil }
        return bytes
    }
}

/// One thing that is wrong with a plugin.
struct PluginFinding: Equatable {
    /// What was looked at: "mode", "format", "architecture", "symbols", or the code of a `PluginFailure`.
    var check: String
    var message: String

    init(_ check: String, _ message: String) {
        self.check = check
        self.message = message
    }
}
