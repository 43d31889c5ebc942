import CLinux
import Glibc

/// Descriptors that another process, or this one before it executed another binary, has left to us by name: those of
/// systemd's fd store (LISTEN_FDS, sd_listen_fds(3)), and those of a handover.
package struct InheritedDescriptors {
    /// Several may have one name: whoever stores another does not replace the one before, and which of them is the newest
    /// does not show (systemd passes them in an order that its own reload reverses).
    private var descriptors: [String: [SharedDescriptor]] = [:]

    /// Names the descriptor of a file with the numbers and names of the others: there may be more of them than an
    /// environment variable has room for.
    private static let handoverVariable = "HOLDFAST_HANDOVER"
    /// The first number that is passed (SD_LISTEN_FDS_START).
    private static let firstNumber: Int32 = 3
    private static let largestTable = 16 << 20

    package var names: [String] { descriptors.keys.sorted() }

    /// Takes over what there is, close-on-exec. Variables that name descriptors are removed, for their numbers mean
    /// nothing to anybody else. Call before any descriptor is opened.
    package static func take() -> InheritedDescriptors {
        var inherited = InheritedDescriptors()
        inherited.takeStored()
        inherited.takeHandedOver()
        for name in ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PIDFDID", handoverVariable] {
            unsetenv(name)
        }
        return inherited
    }

    /// Those of whose descriptors some were closed unused: whoever keeps them must not pass them on again.
    package private(set) var refused: Set<String> = []

    package func contains(_ name: String) -> Bool { descriptors[name] != nil }

    /// Tries the descriptors of that name until one is what is expected. All others are closed.
    package mutating func take<Expected>(
        _ name: String, _ use: (consuming Descriptor) -> Expected?
    ) -> Expected? {
        var taken: Expected?
        for shared in descriptors.removeValue(forKey: name) ?? [] {
            if taken == nil, let descriptor = shared.take() { taken = use(descriptor) }
            if taken == nil || shared.rawValue != nil { refused.insert(name) }
        }
        return taken
    }

    /// Closes what there is of that name.
    package mutating func refuse(_ name: String) {
        if descriptors.removeValue(forKey: name) != nil { refused.insert(name) }
    }

    /// Whoever keeps them has been told.
    package mutating func forgetRefused(_ name: String) -> Bool { refused.remove(name) != nil }

    private mutating func takeStored() {
        guard ProcessEnvironment.value("LISTEN_PID") == String(getpid()),
            let count = ProcessEnvironment.value("LISTEN_FDS").flatMap({ Int32($0) }), count > 0
        else { return }
        let names = (ProcessEnvironment.value("LISTEN_FDNAMES") ?? "").split(
            separator: ":", omittingEmptySubsequences: false)
        for index in 0..<count {
            let name = Int(index) < names.count ? String(names[Int(index)]) : "unknown"
            adopt(Self.firstNumber + index, as: name)
        }
    }

    private mutating func takeHandedOver() {
        guard let number = ProcessEnvironment.value(Self.handoverVariable).flatMap({ Int32($0) }), number > 2,
            SystemCall.isOpen(number)
        else { return }
        let table = Descriptor(owning: number)
        let text = (try? SystemCall.readFile("/proc/self/fd/\(table.rawValue)", limit: Self.largestTable)) ?? []
        for line in String(decoding: text, as: UTF8.self).split(separator: "\n") {
            let fields = line.split(separator: " ", maxSplits: 1)
            guard fields.count == 2, let descriptor = Int32(fields[0]), descriptor > 2, descriptor != number else {
                continue
            }
            adopt(descriptor, as: String(fields[1]))
        }
    }

    private mutating func adopt(_ number: Int32, as name: String) {
        guard SystemCall.isOpen(number), (try? SystemCall.setCloseOnExec(number)) != nil else { return }
        descriptors[name, default: []].append(SharedDescriptor(Descriptor(owning: number)))
    }

    /// Executes another binary in this process's place and leaves it the named descriptors. Returns only when that has
    /// failed; everything is then as it was before.
    /// - Throws: the errors of execve(2), and of memfd_create(2).
    package static func execute(
        _ executable: String, _ arguments: [String], leaving descriptors: [(name: String, number: Int32)]
    ) throws(SystemError) -> Never {
        let table = Descriptor(owning: try SystemCall.perform("memfd_create") { hf_memory_file("holdfast-handover") })
        let lines = descriptors.map { "\($0.number) \($0.name)\n" }.joined()
        var bytes = Array(lines.utf8)[...]
        while !bytes.isEmpty {
            guard case .done(let count) = try SystemCall.write(table.rawValue, Array(bytes)) else { continue }
            bytes = bytes.dropFirst(count)
        }
        for descriptor in descriptors { try SystemCall.setCloseOnExec(descriptor.number, false) }
        setenv(handoverVariable, String(table.rawValue), 1)
        let texts = arguments.map { strdup($0) } + [nil]
        let failure: SystemError
        do throws(SystemError) {
            try SystemCall.perform("execve", executable) { execv(executable, texts) }
            failure = SystemError(call: "execve", errno: ENOEXEC, subject: executable)
        } catch {
            failure = error
        }
        for text in texts { free(text) }
        unsetenv(handoverVariable)
        for descriptor in descriptors { try? SystemCall.setCloseOnExec(descriptor.number) }
        throw failure
    }
}
