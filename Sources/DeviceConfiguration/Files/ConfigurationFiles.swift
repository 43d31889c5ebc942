import LinuxSystem

/// Reads the files of a configuration: a main file, and the `conf.d/*.toml` beside it in the order of their names.
struct ConfigurationFiles {
    /// All files together.
    static let largestTotal = 8 << 20
    static let mostFiles = 1024

    private(set) var sources: [ConfigurationSource] = []
    private(set) var problems: [ConfigurationProblem] = []
    /// Every file in the order in which they count, those that cannot be read included.
    private(set) var order: [String] = []
    private var total = 0

    /// - Parameter paths: the main files.
    init(paths: [String]) {
        for path in paths {
            read(path)
            readDropIns(of: path)
        }
    }

    private mutating func readDropIns(of path: String) {
        let directory = (path.lastIndex(of: "/").map { String(path[...$0]) } ?? "") + "conf.d"
        let names: [String]
        do throws(SystemError) {
            names = try SystemCall.names(inDirectory: directory)
        } catch {
            // The folder is optional.
            if !error.isNotFound { add(directory, "cannot be read: \(error.message)") }
            return
        }
        // Hidden files are what editors and packagers leave behind.
        let files = names.filter { $0.hasSuffix(".toml") && !$0.hasPrefix(".") }.sorted {
            $0.utf8.lexicographicallyPrecedes($1.utf8)
        }
        if files.count > ConfigurationFiles.mostFiles {
            add(directory, "has \(files.count) files", allowed: "at most \(ConfigurationFiles.mostFiles)")
        }
        for name in files.prefix(ConfigurationFiles.mostFiles) { read("\(directory)/\(name)") }
    }

    private mutating func read(_ path: String) {
        order.append(path)
        do throws(SystemError) {
            let status = try SystemCall.status(of: path)
            // Opening a FIFO or a device could wait for ever.
            guard status.kind == .regular else {
                add(path, "is \(ConfigurationFiles.words(status.kind))", allowed: "a regular file")
                return
            }
            // One byte more tells a file that has grown since, or one of /proc, whose size is 0.
            let limit = Configuration.largestFile
            let bytes =
                status.size > limit ? nil : try SystemCall.readFile(path, limit: limit + 1)
            guard let bytes, bytes.count <= limit else {
                let size = bytes == nil ? "\(status.size) bytes" : "more than \(limit) bytes"
                add(path, "has \(size)", allowed: "at most \(limit) (1M)")
                return
            }
            guard total + bytes.count <= ConfigurationFiles.largestTotal else {
                add(
                    path, "brings all files together beyond \(ConfigurationFiles.largestTotal) bytes",
                    allowed: "at most \(ConfigurationFiles.largestTotal) (8M)")
                return
            }
            total += bytes.count
            sources.append(ConfigurationSource(file: path, bytes: bytes))
        } catch {
            add(path, error.isNotFound ? "does not exist" : "cannot be read: \(error.message)")
        }
    }

    private mutating func add(_ file: String, _ message: String, allowed: String? = nil) {
        problems.append(ConfigurationProblem(kind: .file, file: file, message: message, allowed: allowed))
    }

    static func words(_ kind: FileStatus.Kind) -> String {
        switch kind {
        case .regular: "a file"
        case .directory: "a directory"
        case .fifo: "a FIFO"
        case .socket: "a socket"
        case .symbolicLink: "a symbolic link"
        case .characterDevice, .blockDevice: "a device"
        case .other: "no file"
        }
    }
}
