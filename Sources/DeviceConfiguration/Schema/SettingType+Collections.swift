import MonotonicTime
import Supervision

extension SettingType<[String]> {
    /// A program with its arguments.
    static let command: SettingType = SettingType(
        allowed: "an array of strings, the program first, such as [\"/usr/bin/python3\", \"camera.py\"]",
        form: .list, write: { .strings($0) },
        read: { node, site, problems in
            guard case .array(let elements) = node.value, !elements.isEmpty else {
                let hint = if case .string = node.value { ", which no shell will split" } else { "" }
                problems.add(
                    site.place(node), site.key, "found \(node.value.inWords)\(hint)", allowed: command.allowed)
                return nil
            }
            return arguments(elements, site, problems)
        })

    /// Names of groups.
    static let groups: SettingType = SettingType(
        allowed: "an array of names of groups", form: .list, write: { .strings($0) },
        read: { node, site, problems in
            guard case .array(let elements) = node.value else {
                problems.add(
                    site.place(node), site.key, "found \(node.value.inWords)", allowed: "an array of names of groups")
                return nil
            }
            let type = SettingType<String>.account("group")
            guard elements.count <= 64 else {
                problems.add(site.place(node), site.key, "has \(elements.count) groups", allowed: "at most 64")
                return nil
            }
            let names = elements.enumerated().map { type.read($0.element, site.element($0.offset), problems) }
            return names.contains(nil) ? nil : names.compactMap(\.self)
        })

    /// Absolute paths, as they are compared with each other: without what names the same place another way.
    static let paths: SettingType = SettingType(
        allowed: "an array of at most 64 absolute paths", form: .list, write: { .strings($0) },
        read: { node, site, problems in
            guard case .array(let elements) = node.value, elements.count <= 64 else {
                let found =
                    if case .array(let elements) = node.value { "has \(elements.count) paths" } else {
                        "found \(node.value.inWords)"
                    }
                problems.add(site.place(node), site.key, found, allowed: paths.allowed)
                return nil
            }
            let type = SettingType<String>.plainPath
            let result = elements.enumerated().map { type.read($0.element, site.element($0.offset), problems) }
            return result.contains(nil) ? nil : result.compactMap(\.self)
        })

    /// Reads every element, so that all wrong ones are reported.
    private static func arguments(
        _ elements: [TOMLNode], _ site: SettingSite, _ problems: ProblemCollector
    ) -> [String]? {
        guard elements.count <= 1024 else {
            problems.add(
                site.place(elements[1024]), site.key, "has \(elements.count) arguments", allowed: "at most 1024")
            return nil
        }
        var result: [String] = []
        for (index, node) in elements.enumerated() {
            do throws(TextMistake) {
                let argument = try node.value.argument()
                if index == 0 && argument.isEmpty { throw TextMistake(reason: "is empty") }
                result.append(argument)
            } catch {
                problems.add(site.place(node), site.element(index).key, error.reason, allowed: "a string")
            }
        }
        return result.count == elements.count ? result : nil
    }
}

extension SettingType<[String: String]> {
    /// Environment variables.
    static let environment: SettingType = SettingType(
        allowed: "a table of strings such as { LANG = \"C.UTF-8\" }", form: .table,
        write: { .table($0.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) }) },
        read: { node, site, problems in
            guard case .table(let table) = node.value else {
                problems.add(
                    site.place(node), site.key, "found \(node.value.inWords)",
                    allowed: environment.allowed)
                return nil
            }
            guard table.entries.count <= 1024 else {
                problems.add(
                    site.place(node), site.key, "has \(table.entries.count) variables", allowed: "at most 1024")
                return nil
            }
            var result: [String: String] = [:]
            for entry in table.entries {
                let site = site.child(entry.key)
                let place = SourcePlace(site.origin, entry.keyPosition)
                guard EnvironmentVariable.isWellFormed(entry.key) else {
                    problems.add(
                        place, site.key, "is not a name of a variable",
                        allowed: "letters, digits and \"_\", the first no digit")
                    continue
                }
                if EnvironmentVariable.isReserved(entry.key) {
                    problems.add(place, site.key, "is set by the runtime; remove it")
                    continue
                }
                do throws(TextMistake) {
                    result[entry.key] = try entry.node.value.argument()
                } catch {
                    problems.add(site.place(entry.node), site.key, error.reason, allowed: "a string")
                }
            }
            return result.count == table.entries.count ? result : nil
        })
}

extension SettingType<[String: Duration]> {
    private static let mostCheckpoints = 32
    private static let period: ClosedRange<Duration> = .milliseconds(10)...(.seconds(86_400))

    /// Names that a worker reports, with the longest time between two of each.
    static let checkpoints: SettingType = SettingType(
        allowed: "a table of at most \(mostCheckpoints) durations by name, such as { frame = \"5s\" }", form: .table,
        write: { checkpoints in
            .table(checkpoints.sorted { $0.key < $1.key }.map { ($0.key, .duration($0.value)) })
        },
        read: { node, site, problems in
            guard case .table(let table) = node.value else {
                problems.add(site.place(node), site.key, "found \(node.value.inWords)", allowed: checkpoints.allowed)
                return nil
            }
            guard table.entries.count <= mostCheckpoints else {
                problems.add(
                    site.place(node), site.key, "has \(table.entries.count) entries", allowed: checkpoints.allowed)
                return nil
            }
            var result: [String: Duration] = [:]
            for entry in table.entries {
                let site = site.child(entry.key)
                guard ChildName.isWellFormed(entry.key) else {
                    problems.add(
                        SourcePlace(site.origin, entry.keyPosition), site.key, "is not a name",
                        allowed: ChildName.allowed)
                    continue
                }
                do throws(TextMistake) {
                    result[entry.key] = try DurationText.read(entry.node.value, within: period)
                } catch {
                    problems.add(
                        site.place(entry.node), site.key, error.reason, allowed: DurationText.words(period))
                }
            }
            return result.count == table.entries.count ? result : nil
        })
}

extension SettingType<[StopPlan.Step]> {
    /// The most steps of a plan, and the longest that all of them may take.
    static let mostSteps = 8
    static let longestPlan = Duration.seconds(3600)

    /// Signals with the time that each gets.
    static let stopPlan: SettingType = SettingType(
        allowed: "an array of at most 8 steps such as [{ signal = \"SIGINT\", grace = \"2s\" }], 1h together",
        form: .structure,
        write: { steps in
            .array(
                steps.map {
                    TOMLNode(
                        value: .table([
                            (StopStepSchema.signal.name, StopStepSchema.signal.type.write($0.signal)),
                            (StopStepSchema.grace.name, StopStepSchema.grace.type.write($0.grace)),
                        ]))
                })
        },
        read: { node, site, problems in
            let allowed = stopPlan.allowed
            guard case .array(let elements) = node.value else {
                problems.add(site.place(node), site.key, "found \(node.value.inWords)", allowed: allowed)
                return nil
            }
            guard elements.count <= mostSteps else {
                problems.add(site.place(node), site.key, "has \(elements.count) steps", allowed: allowed)
                return nil
            }
            var steps: [StopPlan.Step] = []
            for (index, element) in elements.enumerated() {
                guard case .table(let table) = element.value else {
                    problems.add(
                        site.place(element), site.element(index).key, "found \(element.value.inWords)",
                        allowed: "a table such as { signal = \"SIGINT\", grace = \"2s\" }")
                    continue
                }
                let reader = TableReader(
                    SourcedTable(
                        path: site.element(index).key, origin: site.origin, table: table, position: element.position),
                    StopStepSchema.table, ReadingContext(problems: problems))
                let signal = reader.required(StopStepSchema.signal)
                let grace = reader.required(StopStepSchema.grace)
                if let signal, let grace { steps.append(StopPlan.Step(signal: signal, grace: grace)) }
            }
            guard steps.count == elements.count else { return nil }
            let together = steps.reduce(Duration.zero) { $0 + $1.grace }
            guard together <= longestPlan else {
                let shown = DurationText.render(together)
                problems.add(site.place(node), site.key, "takes up to \(shown)", allowed: "at most 1h together")
                return nil
            }
            return steps
        })
}

/// The rules for environment variables of workers.
enum EnvironmentVariable {
    static func isWellFormed(_ name: String) -> Bool {
        guard let first = name.utf8.first, name.utf8.count <= 256 else { return false }
        func isLetter(_ byte: UInt8) -> Bool {
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) || byte == UInt8(ascii: "_")
        }
        return isLetter(first)
            && name.utf8.allSatisfy { isLetter($0) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }

    /// Whether the runtime itself sets the variable for every worker.
    static func isReserved(_ name: String) -> Bool {
        ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"].contains(name) || name.hasPrefix("HOLDFAST_")
    }
}

extension TOMLValue {
    /// A text that fits an argument or a variable: the kernel takes at most 128 KiB (execve(2), MAX_ARG_STRLEN).
    fileprivate func argument() throws(TextMistake) -> String {
        let text = try text()
        guard text.utf8.count <= 65_536 else { throw TextMistake(reason: "has more than 65536 bytes") }
        return text
    }
}
