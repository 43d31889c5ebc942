import ControlProtocol
import DeviceConfiguration
import ExecutorProtocol
import LinuxSystem

/// The plugins that are granted anything, and what was found in their files. Who grants is the configuration; a signed manifest
/// would add its plugins in `configure`. Main thread only.
final class PluginCatalogue {
    enum Finding: Equatable {
        case unchecked
        case ready(PluginDescription)
        case refused(String)
    }

    struct Entry {
        var settings: PluginSettings
        var finding: Finding
        /// What the file was when it was looked at.
        var status: FileStatus?

        /// The kinds that it may carry out, and can.
        var kinds: [PluginKind] {
            guard case .ready(let description) = finding else { return [] }
            return description.kinds.filter { settings.kinds?.contains($0.name) ?? true }
        }
    }

    private(set) var entries: [Entry] = []
    private var current: String?
    private var waiting: [() -> Void] = []

    /// Looks at a plugin's file, and calls back once, later.
    var inspect: (PluginSettings, @escaping (ExecutionEnd) -> Void) -> Void = { _, done in
        done(.failed(code: ExecutionEnd.Code.executor, message: "nobody can look at it"))
    }
    /// Called when a plugin turns out to be of no use.
    var onRefused: (_ plugin: String, _ reason: String) -> Void = { _, _ in }

    /// What is granted from now on. What was found holds for a file that is still the same.
    func configure(_ plugins: [PluginSettings]) {
        entries = plugins.map { settings in
            guard let known = entries.first(where: { $0.settings.name == settings.name }),
                known.settings.file == settings.file, known.settings.sha256 == settings.sha256,
                case .ready = known.finding, known.status == Self.status(of: settings)
            else { return Entry(settings: settings, finding: .unchecked) }
            return Entry(settings: settings, finding: known.finding, status: known.status)
        }
        next()
    }

    /// Calls back when every file has been looked at.
    /// - Parameter isFresh: looks again at what was refused, or is another file by now.
    func whenComplete(isFresh: Bool = false, _ body: @escaping () -> Void) {
        if isFresh, current == nil {
            for index in entries.indices {
                if case .ready = entries[index].finding,
                    entries[index].status == Self.status(of: entries[index].settings)
                {
                    continue
                }
                entries[index].finding = .unchecked
            }
        }
        waiting.append(body)
        next()
    }

    /// The plugin that carries out such commands, the first of several; `nil` when none does.
    func entry(for kind: String) -> (entry: Entry, kind: PluginKind)? {
        for entry in entries {
            if let found = entry.kinds.first(where: { $0.name == kind }) { return (entry, found) }
        }
        return nil
    }

    /// Why nobody carries out such commands.
    func objection(to kind: String) -> String {
        for entry in entries where entry.settings.kinds?.contains(kind) ?? false {
            switch entry.finding {
            case .refused(let reason): return "the plugin \(entry.settings.name) cannot be used: \(reason)"
            case .ready: return "the plugin \(entry.settings.name) says nothing of commands of the kind \(kind)"
            case .unchecked: break
            }
        }
        let known = entries.flatMap(\.kinds).map(\.name).sorted()
        return "there is no plugin for commands of the kind \(kind)"
            + (known.isEmpty ? "" : "; there are some for \(known.joined(separator: ", "))")
    }

    private func next() {
        guard current == nil else { return }
        guard let index = entries.firstIndex(where: { $0.finding == .unchecked }) else {
            let ready = waiting
            waiting = []
            for body in ready { body() }
            return
        }
        let settings = entries[index].settings
        current = settings.name
        entries[index].status = Self.status(of: settings)
        inspect(settings) { [weak self] end in self?.found(end, in: settings) }
    }

    private func found(_ end: ExecutionEnd, in settings: PluginSettings) {
        current = nil
        // It may have been configured otherwise meanwhile.
        if let index = entries.firstIndex(where: {
            $0.settings.name == settings.name && $0.settings.file == settings.file
                && $0.settings.sha256 == settings.sha256
        }) {
            entries[index].finding = Self.finding(end)
            if case .refused(let reason) = entries[index].finding { onRefused(settings.name, reason) }
        }
        next()
    }

    private static func finding(_ end: ExecutionEnd) -> Finding {
        switch end {
        case .failed(_, let message): return .refused(message)
        case .succeeded(let json):
            guard let description = try? PluginDescription(json: json) else {
                return .refused("what it says of itself cannot be understood")
            }
            return .ready(description)
        }
    }

    private static func status(of settings: PluginSettings) -> FileStatus? {
        try? SystemCall.status(of: settings.file)
    }

    // MARK: Report

    func reports(running: (String) -> Int, waiting: (String) -> Int) -> [PluginReport] {
        entries.map { entry in
            let name = entry.settings.name
            let granted = entry.settings.grants.sorted().map(\.rawValue)
            var report = PluginReport(
                name: name, file: entry.settings.file, state: .unchecked, kinds: entry.kinds, grants: granted,
                running: running(name), waiting: waiting(name))
            switch entry.finding {
            case .unchecked: break
            case .refused(let reason):
                report.state = .refused
                report.reason = reason
            case .ready(let description):
                report.state = .ready
                report.version = description.version
                report.summary = description.summary
                report.missingGrants = description.grants.filter { !granted.contains($0) }
                report.reason = Self.remark(on: entry, entries)
            }
            return report
        }
    }

    private static func remark(on entry: Entry, _ all: [Entry]) -> String? {
        let known = entry.kinds.map(\.name)
        let unknown = (entry.settings.kinds ?? []).filter { !known.contains($0) }
        if !unknown.isEmpty { return "it does not carry out \(unknown.joined(separator: ", "))" }
        for other in all.prefix(while: { $0.settings.name != entry.settings.name }) {
            let both = other.kinds.map(\.name).filter(known.contains)
            if !both.isEmpty {
                return "\(both.joined(separator: ", ")) is carried out by \(other.settings.name), which comes before it"
            }
        }
        return nil
    }
}
