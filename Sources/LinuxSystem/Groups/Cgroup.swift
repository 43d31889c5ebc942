import CLinux
import Glibc

/// A directory of the cgroup2 hierarchy: all processes of a worker, wherever they fork to (cgroups(7); the kernel's
/// admin-guide/cgroup-v2).
package final class Cgroup {
    /// In the file system.
    package let path: String
    /// In the hierarchy, as /proc/PID/cgroup shows it.
    package let name: String
    private let directory: Descriptor
    private var watch: (registration: EventLoop.Registration, events: SharedDescriptor, loop: EventLoop)?

    /// The directory, for `SpawnRequest.cgroup`.
    package var rawValue: Int32 { directory.rawValue }

    /// Opens a cgroup that exists; ENOTSUP when the directory is not one of cgroup2.
    package init(path: String) throws(SystemError) {
        let directory = try SystemCall.open(path, [.readOnly, .directory])
        guard try SystemCall.perform("fstatfs", path, { hf_is_cgroup2(directory.rawValue) }) == 1,
            let name = CgroupMount.current().lazy.compactMap({ $0.name(of: path) }).first
        else { throw SystemError(call: "fstatfs", errno: ENOTSUP, subject: "\(path) is not a cgroup2 directory") }
        self.path = path
        self.name = name
        self.directory = directory
    }

    /// Opens the cgroup of that name beside this process's own; ENOENT when there is none.
    package convenience init(besideOwn siblingName: String) throws(SystemError) {
        guard let own = Cgroup.cgroupName(of: getpid()), let slash = own.lastIndex(of: "/"),
            let path = CgroupMount.current().lazy.compactMap({ $0.path(of: own[..<slash] + "/" + siblingName) }).first
        else { throw SystemError(call: "open", errno: ENOENT, subject: "the cgroup \(siblingName)") }
        try self.init(path: path)
    }

    private init(path: String, name: String, directory: consuming Descriptor) {
        self.path = path
        self.name = name
        self.directory = directory
    }

    deinit {
        stopWatching()
    }

    /// The cgroup of this process if it was delegated to us: systemd marks it by an extended attribute (Delegate=yes).
    /// `nil` when there is none; a cgroup that merely is writable, the root for instance, is nobody's gift.
    package static func delegated() -> Cgroup? {
        guard let own = cgroupName(of: getpid()),
            let path = CgroupMount.current().lazy.compactMap({ $0.path(of: own) }).first,
            hf_is_attribute_set(path, "trusted.delegate") == 1 || hf_is_attribute_set(path, "user.delegate") == 1,
            access(path, W_OK) == 0
        else { return nil }
        return try? Cgroup(path: path)
    }

    /// Makes the child cgroup, in place of one that was left behind empty. EBUSY when that one still has processes.
    package func makeChild(_ childName: String) throws(SystemError) -> Cgroup {
        let childPath = path + "/" + childName
        do throws(SystemError) {
            try SystemCall.makeDirectory(childPath)
        } catch {
            guard error.alreadyExists else { throw error }
            try Cgroup.removeTree(childPath)
            try SystemCall.makeDirectory(childPath)
        }
        let directory = try SystemCall.open(childPath, [.readOnly, .directory])
        return Cgroup(
            path: childPath, name: name == "/" ? "/" + childName : name + "/" + childName, directory: directory)
    }

    /// Removes the cgroup with those inside it. EBUSY while there are processes; zombies do not count.
    package func remove() throws(SystemError) {
        stopWatching()
        try Cgroup.removeTree(path)
    }

    // MARK: Processes

    /// Whether a process is in it or below. False when it is gone.
    package func contains(_ pid: Int32) -> Bool {
        guard let other = Cgroup.cgroupName(of: pid) else { return false }
        return other == name || name == "/" || other.hasPrefix(name + "/")
    }

    /// All processes in it and below.
    package func processes() -> [Int32] {
        Cgroup.processes(in: path, depth: 0)
    }

    /// Whether a living process is in it or below (cgroup.events).
    package var isPopulated: Bool {
        guard let events = try? SystemCall.readFile("cgroup.events", limit: 256, in: rawValue) else { return false }
        return Cgroup.saysPopulated(events)
    }

    /// Moves the processes that are in the cgroup itself into a child of that name, which is made if it is not there.
    package func moveProcesses(toChild childName: String) throws(SystemError) {
        let list = try SystemCall.readFile("cgroup.procs", limit: 1 << 20, in: rawValue)
        guard !list.isEmpty else { return }
        do throws(SystemError) {
            try SystemCall.makeDirectory(path + "/" + childName)
        } catch {
            guard error.alreadyExists else { throw error }
        }
        let child = try Cgroup(path: path + "/" + childName)
        for pid in Cgroup.pids(list) {
            do throws(SystemError) {
                try child.add(pid)
            } catch {
                // It has ended meanwhile.
                guard error.isNoSuchProcess else { throw error }
            }
        }
    }

    /// The directories directly below.
    package var children: [String] { Cgroup.children(of: path) }

    /// Moves a process into it.
    package func add(_ pid: Int32) throws(SystemError) {
        try SystemCall.writeFile("cgroup.procs", String(pid), in: rawValue)
    }

    /// Signals every process, those included that are forked meanwhile.
    package func signal(_ number: Int32) {
        var signalled: Set<Int32> = []
        for _ in 0..<ProcessGroup.maximumPasses {
            let fresh = processes().filter { !signalled.contains($0) }
            if fresh.isEmpty { return }
            for pid in fresh where signalled.insert(pid).inserted {
                guard let process = try? ChildProcess.adopting(pid: pid), contains(pid) else { continue }
                try? process.signal(number)
            }
        }
    }

    /// Kills every process at once, frozen ones too.
    package func kill() throws(SystemError) {
        do throws(SystemError) {
            try SystemCall.writeFile("cgroup.kill", "1", in: rawValue)
        } catch {
            // Before Linux 5.14. Frozen, they cannot fork away from the signals.
            guard error.isNotFound else { throw error }
            try freeze()
            signal(SIGKILL)
            try thaw()
        }
    }

    /// Holds every process still; complete a moment later.
    package func freeze() throws(SystemError) {
        try SystemCall.writeFile("cgroup.freeze", "1", in: rawValue)
    }

    package func thaw() throws(SystemError) {
        try SystemCall.writeFile("cgroup.freeze", "0", in: rawValue)
    }

    // MARK: Watching

    /// Calls the handler each time that no living process is left, last within a wake-up, until the cgroup is removed.
    package func watchEmptied(on loop: EventLoop, _ handler: @escaping () -> Void) throws(SystemError) {
        stopWatching()
        let events = SharedDescriptor(try SystemCall.open("cgroup.events", .readOnly, in: rawValue))
        guard let descriptor = events.rawValue else { return }
        // A read from the start acknowledges the change; without the first, the event is there from the beginning.
        _ = Cgroup.readEvents(descriptor)
        let registration = try loop.register(descriptor, .priority, order: .last) { _ in
            if !Cgroup.saysPopulated(Cgroup.readEvents(descriptor)) { handler() }
        }
        watch = (registration, events, loop)
    }

    package func stopWatching() {
        if let watch { watch.loop.unregister(watch.registration) }
        watch = nil
    }

    private static func readEvents(_ descriptor: Int32) -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: 256)
        let count = buffer.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, 0) }
        return Array(buffer.prefix(max(count, 0)))
    }

    private static func saysPopulated(_ events: [UInt8]) -> Bool {
        events.split(separator: UInt8(ascii: "\n")).contains { $0.elementsEqual("populated 1".utf8) }
    }

    private static func processes(in path: String, depth: Int) -> [Int32] {
        var pids = pids((try? SystemCall.readFile(path + "/cgroup.procs", limit: 1 << 20)) ?? [])
        guard depth < maximumDepth else { return pids }
        for child in children(of: path) { pids += processes(in: child, depth: depth + 1) }
        return pids
    }

    private static func pids(_ list: [UInt8]) -> [Int32] {
        list.split(separator: UInt8(ascii: "\n")).compactMap { Int32(String(decoding: $0, as: UTF8.self)) }
    }

    private static func removeTree(_ path: String, depth: Int = 0) throws(SystemError) {
        if depth < maximumDepth {
            for child in children(of: path) { try removeTree(child, depth: depth + 1) }
        }
        do throws(SystemError) {
            try SystemCall.removeDirectory(path)
        } catch {
            guard error.isNotFound else { throw error }
        }
    }

    private static func children(of path: String) -> [String] {
        // The files of a cgroup all have a dot in their names; a child's name may have one too.
        let names = (try? SystemCall.names(inDirectory: path)) ?? []
        return names.map { path + "/" + $0 }.filter {
            (try? SystemCall.status(of: $0, followingLinks: false))?.kind == .directory
        }
    }

    /// The line of the cgroup2 hierarchy ("0::") in /proc/PID/cgroup.
    static func cgroupName(of pid: Int32) -> String? {
        guard let bytes = try? SystemCall.readFile("/proc/\(pid)/cgroup", limit: 16384) else { return nil }
        for line in bytes.split(separator: UInt8(ascii: "\n")) where line.starts(with: "0::".utf8) {
            return String(decoding: line.dropFirst(3), as: UTF8.self)
        }
        return nil
    }

    private static let maximumDepth = 16
}
