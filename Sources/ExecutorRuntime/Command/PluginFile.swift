import ExecutorProtocol
import LinuxSystem
import Trust

/// A plugin's file, looked at before anything of it is used: whose it is, who may change it, and what is in it.
struct PluginFile {
    /// Why a file is not loaded, for an operator.
    struct Refusal: Error, Equatable {
        var message: String
    }

    /// In bytes.
    private static let largest = 256 << 20
    private static let piece = 256 * 1024
    private static let writableByOthers: UInt32 = 0o022

    /// A copy that nobody can change any more; it, and not the file, was found to be the granted one.
    let library: SharedDescriptor

    init(_ order: ExecutorOrder) throws(Refusal) {
        try Self.checkFolder(of: order)
        let file: SharedDescriptor
        let status: FileStatus
        do throws(SystemError) {
            // Whatever it is, opening it must not wait.
            let opened = try SystemCall.open(order.file, [.readOnly, .noFollow, .nonBlocking])
            status = try SystemCall.status(opened.rawValue)
            file = SharedDescriptor(opened)
        } catch {
            throw Refusal(message: Self.words(error, order.file))
        }
        try Self.check(status, order)
        let copy: SharedDescriptor
        do throws(SystemError) {
            copy = SharedDescriptor(
                try SystemCall.sealedCopy(
                    of: file.rawValue ?? -1, named: "plugin-\(order.plugin)", limit: Self.largest))
        } catch {
            throw Refusal(message: Self.words(error, order.file))
        }
        let digest = try Self.digest(of: copy, order)
        guard digest == order.sha256 else {
            throw Refusal(message: "\(order.file) has the SHA-256 \(digest), and \(order.sha256) is granted")
        }
        library = copy
    }

    private static func words(_ error: SystemError, _ file: String) -> String {
        if error.isNotFound { return "there is no \(file)" }
        if error.isLinkLoop { return "\(file) is a link: name the file itself" }
        if error.isTooLarge { return "\(file) is larger than \(largest >> 20) MiB" }
        if error.isPermissionDenied {
            return
                "\(file) cannot be read by holdfast-executor: let everybody read it (chmod o+r) and pass its folders"
        }
        return "\(file) cannot be read: \(error.message)"
    }

    /// Who may write in the folder may put another file in its place.
    private static func checkFolder(of order: ExecutorOrder) throws(Refusal) {
        let slash = order.file.lastIndex(of: "/") ?? order.file.startIndex
        let folder = slash == order.file.startIndex ? "/" : String(order.file[..<slash])
        let status: FileStatus
        do throws(SystemError) {
            status = try SystemCall.status(of: folder)
        } catch {
            throw Refusal(message: words(error, folder))
        }
        try check(status, folder, order)
    }

    private static func check(_ status: FileStatus, _ order: ExecutorOrder) throws(Refusal) {
        guard status.kind == .regular else { throw Refusal(message: "\(order.file) is no regular file") }
        try check(status, order.file, order)
    }

    private static func check(_ status: FileStatus, _ path: String, _ order: ExecutorOrder) throws(Refusal) {
        guard status.uid == 0 || status.uid == order.owner else {
            throw Refusal(message: "\(path) belongs to the user \(status.uid): only root may own it (chown root)")
        }
        guard status.mode & writableByOthers == 0 else {
            throw Refusal(message: "\(path) can be written by others than its owner (chmod go-w)")
        }
    }

    private static func digest(of copy: SharedDescriptor, _ order: ExecutorOrder) throws(Refusal) -> String {
        do {
            let hasher = try SHA256Hasher()
            var buffer = [UInt8](repeating: 0, count: piece)
            var offset: Int64 = 0
            while let number = copy.rawValue {
                let count = try buffer.withUnsafeMutableBytes { try SystemCall.read(number, into: $0, at: offset) }
                if count == 0 { break }
                try buffer.withUnsafeBytes { try hasher.add(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
                offset += Int64(count)
            }
            return try hasher.finish().hex
        } catch {
            throw Refusal(message: "the SHA-256 of \(order.file) cannot be made: \(error)")
        }
    }
}
