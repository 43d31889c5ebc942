import Supervision

/// Joins supervisors and workers to the user's part of the tree, and reports names that clash or lead nowhere.
struct TreeAssembly {
    /// The deepest nesting of supervisors below the root.
    static let deepestNesting = 16
    /// The most workers and supervisors together.
    static let mostChildren = 8192

    private let order: [SourceOrigin: Int]
    private let supervisors: [SupervisorDraft]
    private let workers: [WorkerDraft]
    private let problems: ProblemCollector

    /// - Parameter files: in the order in which they count.
    init(files: [String], supervisors: [SupervisorDraft], workers: [WorkerDraft], _ problems: ProblemCollector) {
        order = Dictionary(
            files.enumerated().map { (.file($0.element), $0.offset) }, uniquingKeysWith: { first, _ in first })
        self.supervisors = supervisors
        self.workers = workers
        self.problems = problems
    }

    /// The children of the root; incomplete when a problem has been reported.
    func children() -> [ChildSpecification] {
        guard supervisors.count + workers.count <= TreeAssembly.mostChildren else {
            if let place = (supervisors.map(\.place) + workers.map(\.place)).max(by: precedes) {
                problems.add(
                    place, "worker", "there are \(supervisors.count + workers.count) workers and supervisors",
                    allowed: "at most \(TreeAssembly.mostChildren)")
            }
            return []
        }
        let misnamed = reportNames()
        reportParents()
        // A name that is taken twice must not lead to the same children twice: that could double at every level.
        let members = Dictionary(grouping: placedChildren().filter { !misnamed.contains($0.place) }, by: \.parent)
        // What is on a cycle or below one is not reached from the root.
        report(SupervisorCycles(parents: parents).cycles)
        return assemble(SupervisorSpecification.rootName, members, depth: 0)
    }

    private var known: [String] { [SupervisorSpecification.rootName] + supervisors.compactMap(\.name) }

    /// The parent of each supervisor, the first of a name counting.
    private var parents: [String: String] {
        Dictionary(
            supervisors.compactMap { draft in
                draft.name.flatMap { ChildName.isReserved($0) ? nil : ($0, draft.parent) }
            },
            uniquingKeysWith: { first, _ in first })
    }

    private func precedes(_ left: SourcePlace, _ right: SourcePlace) -> Bool {
        let leftFile = order[left.origin] ?? .max
        let rightFile = order[right.origin] ?? .max
        if leftFile != rightFile { return leftFile < rightFile }
        guard let leftPosition = left.position, let rightPosition = right.position else { return false }
        return leftPosition < rightPosition
    }

    // MARK: Names

    private struct NamedChild {
        var name: String?
        var path: String
        var what: String
        var namePlace: SourcePlace
        /// Of its table.
        var place: SourcePlace
    }

    /// Answers the places of the tables whose names are missing, reserved, or taken.
    private func reportNames() -> Set<SourcePlace> {
        let named =
            supervisors.map {
                NamedChild(name: $0.name, path: $0.path, what: "supervisor", namePlace: $0.namePlace, place: $0.place)
            }
            + workers.map {
                NamedChild(name: $0.name, path: $0.path, what: "worker", namePlace: $0.namePlace, place: $0.place)
            }
        var misnamed: Set<SourcePlace> = []
        var first: [String: NamedChild] = [:]
        for child in named.sorted(by: { precedes($0.namePlace, $1.namePlace) }) {
            guard let name = child.name else {
                misnamed.insert(child.place)
                continue
            }
            if ChildName.isReserved(name) {
                problems.add(
                    child.namePlace, "\(child.path).name", "\(name.inQuotes) is reserved", allowed: "any other name")
                misnamed.insert(child.place)
            } else if let earlier = first[name] {
                problems.add(
                    child.namePlace, "\(child.path).name",
                    "\(name.inQuotes) is already the name of the \(earlier.what) at \(earlier.namePlace)",
                    allowed: "a name that no other worker or supervisor has")
                misnamed.insert(child.place)
            } else {
                first[name] = child
            }
        }
        return misnamed
    }

    private func reportParents() {
        let names = Set(known)
        for draft in supervisors where !names.contains(draft.parent) {
            reportUnknown(draft.parent, draft.parentPlace, "\(draft.path).parent")
        }
        for draft in workers where !names.contains(draft.supervisor) {
            reportUnknown(draft.supervisor, draft.supervisorPlace, "\(draft.path).supervisor")
        }
    }

    private func reportUnknown(_ name: String, _ place: SourcePlace, _ key: String) {
        if name == SupervisorSpecification.systemName {
            problems.add(place, key, "\"system\" is for Holdfast's own processes", allowed: "another supervisor")
        } else if problems.isFull {
            problems.add(place, key, "there is no supervisor \(name.quoted)")
        } else if known.count <= 1000, let guess = NearestName.of(name, among: known) {
            problems.add(place, key, "there is no supervisor \(name.quoted) (did you mean \(guess.inQuotes)?)")
        } else {
            let shown = known.prefix(8).map(\.inQuotes).joined(separator: ", ")
            let all = known.count > 8 ? "\(shown) and \(known.count - 8) more" : shown
            problems.add(place, key, "there is no supervisor \(name.quoted)", allowed: all)
        }
    }

    private func report(_ cycles: [[String]]) {
        for cycle in cycles where !problems.isFull {
            // Told once, at the member that stands first.
            let members = Set(cycle)
            let drafts = supervisors.filter { draft in draft.name.map(members.contains) ?? false }
            guard let draft = drafts.min(by: { precedes($0.parentPlace, $1.parentPlace) }), let name = draft.name,
                let start = cycle.firstIndex(of: name)
            else { continue }
            var turned = cycle[start...] + cycle[..<start] + [name]
            if turned.count > 12 { turned = turned.prefix(10) + ["..."] + turned.suffix(1) }
            problems.add(
                draft.parentPlace, "\(draft.path).parent",
                "supervisors are in a cycle: \(turned.joined(separator: " -> "))",
                allowed: "a parent that is not below its child")
        }
    }

    // MARK: Tree

    private struct PlacedChild {
        var parent: String
        var child: ChildSpecification
        var place: SourcePlace
    }

    private func placedChildren() -> [PlacedChild] {
        let placed =
            supervisors.map {
                PlacedChild(parent: $0.parent, child: .supervisor($0.specification), place: $0.place)
            }
            + workers.map {
                PlacedChild(parent: $0.supervisor, child: .worker($0.specification), place: $0.place)
            }
        return placed.sorted { precedes($0.place, $1.place) }
    }

    private func assemble(
        _ parent: String, _ members: [String: [PlacedChild]], depth: Int
    ) -> [ChildSpecification] {
        (members[parent] ?? []).compactMap { member in
            guard case .supervisor(var supervisor) = member.child else { return member.child }
            guard depth < TreeAssembly.deepestNesting else {
                problems.add(
                    member.place, "supervisor.\(supervisor.name)", "is nested too deep",
                    allowed: "at most \(TreeAssembly.deepestNesting) supervisors above one another")
                return nil
            }
            supervisor.children = assemble(supervisor.name, members, depth: depth + 1)
            return .supervisor(supervisor)
        }
    }
}
