import Probing

/// A `[[worker.probe]]` being read.
struct ProbeDraft {
    /// `nil` when something is missing that it cannot do without.
    let probe: WorkerProbe?
    let namePlace: SourcePlace
    let commandPlace: SourcePlace
    /// What messages call it: "worker.camera.probe.alive".
    let path: String

    init(_ piece: SourcedTable.Piece, number: Int, worker: String, _ context: ReadingContext) {
        let path = piece.childName.map { "\(worker).probe.\($0)" } ?? "\(worker).probe[\(number)]"
        let table = TableReader(SourcedTable(path: path, piece), ProbeSchema.table, context)
        self.path = path
        namePlace = table.place(of: "name")
        commandPlace = table.place(of: "command")
        let kind = table.required(ProbeSchema.type)
        let name = table.optional(ProbeSchema.name)
        let command = table.optional(ProbeSchema.command)
        let port = table.optional(ProbeSchema.port)
        let host = table.value(ProbeSchema.address)
        let http = WorkerProbe.Kind.http(
            path: table.value(ProbeSchema.path), statuses: table.value(ProbeSchema.status),
            bodyContains: table.optional(ProbeSchema.body))
        let schedule = ProbeSchedule(
            interval: table.value(ProbeSchema.interval), timeout: table.value(ProbeSchema.timeout),
            failures: table.value(ProbeSchema.failures), startGrace: table.value(ProbeSchema.startGrace))
        guard let kind else {
            probe = nil
            return
        }
        for key in ProbeSchema.meaningless(for: kind) where table.has(key) {
            context.problems.add(
                table.place(of: key), "\(path).\(key)",
                "has no meaning for a probe of type \(kind.rawValue.inQuotes); remove it")
        }
        func missing(_ key: String, _ allowed: String) {
            guard !table.has(key), let place = table.table.place else { return }
            context.problems.add(
                place, "\(path).\(key)", "is missing for a probe of type \(kind.rawValue.inQuotes)", allowed: allowed)
        }
        let address = port.map { WorkerProbe.Address(host: host, port: $0) }
        let shownName = name ?? kind.rawValue
        switch kind {
        case .exec:
            missing("command", ProbeSchema.command.type.allowed)
            probe = command.map { WorkerProbe(name: shownName, kind: .exec(command: $0), schedule: schedule) }
        case .tcp, .http:
            missing("port", ProbeSchema.port.type.allowed)
            probe = address.map {
                WorkerProbe(name: shownName, kind: kind == .tcp ? .tcp : http, address: $0, schedule: schedule)
            }
        }
    }

    /// The probes of one worker.
    static func all(_ table: TableReader, of worker: String, _ context: ReadingContext) -> [ProbeDraft] {
        let pieces = table.pieces(of: ProbeSchema.table)
        if pieces.count > ProbeSchema.mostProbes {
            context.problems.add(
                pieces[ProbeSchema.mostProbes].place, "\(worker).probe", "there are \(pieces.count) probes",
                allowed: "at most \(ProbeSchema.mostProbes) for one worker")
        }
        let drafts = pieces.enumerated().map {
            ProbeDraft($0.element, number: $0.offset + 1, worker: worker, context)
        }
        var earlier: [String: SourcePlace] = [:]
        for draft in drafts {
            guard let name = draft.probe?.name else { continue }
            if let first = earlier[name] {
                context.problems.add(
                    draft.namePlace, "\(draft.path).name",
                    "\(name.inQuotes) is already the name of the probe at \(first)",
                    allowed: "a name that no other probe of this worker has")
            } else {
                earlier[name] = draft.namePlace
            }
        }
        return drafts
    }
}

extension SourcedTable.Piece {
    /// What the probes of a worker are called, in their order; `nil` for one whose name is none.
    var probeNames: [String?] {
        guard case .array(let elements)? = table[ProbeSchema.table.name]?.value else { return [] }
        return elements.map { element in
            guard case .table(let table) = element.value else { return nil }
            let key = table[ProbeSchema.name.name] == nil ? ProbeSchema.type.name : ProbeSchema.name.name
            guard case .string(let name)? = table[key]?.value, ChildName.isWellFormed(name) else { return nil }
            return name
        }
    }
}
