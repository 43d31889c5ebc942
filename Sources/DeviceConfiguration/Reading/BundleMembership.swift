import Supervision

/// Who belongs to a bundle: a bundle is one subtree, a supervisor of its name below the root and everything else below that. Nothing
/// of a bundle is outside, and nothing else is inside: so each can be left out, and comes and goes as a whole.
struct BundleMembership {
    /// The bundle of each worker and supervisor that has one, by its name.
    private(set) var bundles: [String: String] = [:]

    private let origins: [SourceOrigin: String]
    private let problems: ProblemCollector

    init(
        _ sources: [ParsedSource], _ supervisors: [SupervisorDraft], _ workers: [WorkerDraft],
        _ problems: ProblemCollector
    ) {
        self.problems = problems
        origins = Dictionary(
            sources.compactMap { source in source.bundle.map { (.file(source.file), $0) } },
            uniquingKeysWith: { first, _ in first })
        guard !origins.isEmpty else { return }
        for source in sources where source.bundle != nil { checkTables(of: source) }
        var supervisorsOf: [String: Set<String>] = [:]
        for draft in supervisors {
            guard let bundle = origins[draft.place.origin], let name = draft.name else { continue }
            supervisorsOf[bundle, default: []].insert(name)
        }
        for draft in supervisors {
            let bundle = origins[draft.place.origin]
            if let bundle, draft.name == bundle {
                if draft.parent != SupervisorSpecification.rootName {
                    problems.add(
                        draft.parentPlace, "\(draft.path).parent", "the bundle's own supervisor is a child of the root")
                }
            } else {
                check(draft.parent, draft.parentPlace, "\(draft.path).parent", bundle, supervisorsOf)
            }
            if let bundle, let name = draft.name { bundles[name] = bundle }
        }
        for draft in workers {
            let bundle = origins[draft.place.origin]
            check(draft.supervisor, draft.supervisorPlace, "\(draft.path).supervisor", bundle, supervisorsOf)
            if let bundle, let name = draft.name { bundles[name] = bundle }
        }
    }

    private func checkTables(of source: ParsedSource) {
        let allowed = [SupervisorSchema.table.name, WorkerSchema.table.name]
        for entry in source.table?.entries ?? [] where !allowed.contains(entry.key) {
            problems.add(
                SourcePlace(file: source.file, position: entry.keyPosition), entry.key.asKeyPart,
                "is nothing that a bundle can bring", allowed: "supervisors and workers")
        }
    }

    private func check(
        _ parent: String, _ place: SourcePlace, _ key: String, _ bundle: String?, _ supervisorsOf: [String: Set<String>]
    ) {
        if let bundle {
            guard supervisorsOf[bundle]?.contains(parent) != true else { return }
            problems.add(place, key, "\(parent.quoted) is no supervisor of this bundle")
        } else if let other = supervisorsOf.first(where: { $0.value.contains(parent) })?.key {
            problems.add(
                place, key, "\(parent.quoted) belongs to the bundle \(other), and comes and goes with it",
                allowed: "a supervisor of the configuration's own")
        }
    }
}
