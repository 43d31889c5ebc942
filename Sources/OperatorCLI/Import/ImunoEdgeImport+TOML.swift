import ControlProtocol
import DeviceConfiguration

/// The configuration as a person would have written it: keys first, then workers, then what is left over.
extension ImunoEdgeImport {
    var toml: String {
        var lines = [
            "# Made from \(options.file.escapedForTerminal) by holdfast \(HoldfastVersion.current): settings and workers of ImunoEdge.",
            "# What every key means is in configuration.md, what became of which setting in migrating-from-imunoedge.md.",
        ]
        lines += keyLines
        if !workers.isEmpty { lines += ["", explanation] }
        for worker in workers { lines += [""] + self.lines(of: worker) }
        lines += leftovers("Settings of ImunoEdge without a counterpart, with their values:", withoutCounterpart)
        lines += leftovers("No settings of ImunoEdge; the workers have them in their environment:", unknown)
        lines += leftovers("Not given to the workers:", refused)
        return lines.joined(separator: "\n") + "\n"
    }

    private var keyLines: [String] {
        var lines: [String] = []
        var header = ""
        // Keys of one table stay together, tables in the order of their first key.
        let tables = keys.map(\.table).reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
        for table in tables {
            for key in keys where key.table == table {
                if header != table {
                    header = table
                    lines += ["", "[\(table)]"]
                }
                lines.append(line(key.name, key.value, comment: key.origin))
            }
        }
        return lines
    }

    private var explanation: String {
        """
        # \(WorkerLaunch.imunoEdgeLauncher) makes a worker's heartbeat file its watchdog, from the first touch on: \(seconds(watchdog)) are the \
        \(seconds(Self.oldestHeartbeat)) that
        # ImunoEdge allows, and the \(seconds(lookInterval)) until it looks again. SIGWINCH makes the stop file appear. A worker that knows neither
        # file needs neither \(WorkerLaunch.imunoEdgeLauncher), watchdog nor the first step of stop_plan.
        """
    }

    private func lines(of worker: ImunoEdgeWorker) -> [String] {
        var lines: [String] = []
        if let former = worker.formerName {
            lines.append("# ImunoEdge called it \(TOMLText.string(former)).")
        }
        if !worker.words.shellSyntax.isEmpty {
            let shell = TOMLText.value(.strings([launcher, "/bin/sh", "-c", worker.command]))
            lines += [
                "# No shell runs this command, as none did under ImunoEdge: its "
                    + worker.words.shellSyntax.map(\.inComment).joined(separator: " ")
                    + " are plain text. If a shell was meant:",
                "# command = \(shell)",
            ]
        }
        lines += [
            "[[worker]]",
            line("name", .string(worker.name)),
            line("command", .strings([launcher] + worker.words.words)),
            line("working_directory", .string(options.workingDirectory)),
        ]
        if let user = options.user { lines.append(line("user", .string(user))) }
        lines.append(line("essential", .boolean(worker.isEssential)))
        lines.append(
            maximumRestarts > 0
                ? line("max_attempts", .integer(maximumRestarts)) : line("restart", .string("never")))
        lines.append(line("watchdog", .duration(watchdog)))
        let plan: TOMLValue = .array(
            [("SIGWINCH", Duration.seconds(5)), ("SIGTERM", .seconds(5))].map { signal, grace in
                TOMLNode(value: .table([("signal", .string(signal)), ("grace", .duration(grace))]))
            })
        lines.append(line("stop_plan", plan))
        if !variables.isEmpty {
            lines += ["", "[worker.environment]"]
            lines += variables.sorted { $0.key < $1.key }.map { line($0.key, .string($0.value)) }
        }
        return lines
    }

    private func line(_ key: String, _ value: TOMLValue, comment: String? = nil) -> String {
        "\(TOMLText.key(key)) = \(TOMLText.value(value))" + (comment.map { "  # \($0)" } ?? "")
    }

    private func leftovers(_ title: String, _ leftovers: [Leftover]) -> [String] {
        if leftovers.isEmpty { return [] }
        let texts = leftovers.map { "\($0.name) = \(TOMLText.string($0.value))" }
        let width = min(60, texts.map(\.count).max() ?? 0)
        return ["", "# \(title)"]
            + zip(texts, leftovers).map { text, leftover in
                "#   \(text)\(String(repeating: " ", count: max(0, width - text.count)))  \(leftover.note)"
            }
    }

    private func seconds(_ duration: Duration) -> String {
        if case .string(let text) = TOMLValue.duration(duration) { text } else { "" }
    }
}

extension ImunoEdgeImport.Key {
    /// "runtime" of "runtime.name".
    fileprivate var table: String { path.split(separator: ".").dropLast().joined(separator: ".") }
    fileprivate var name: String { path.split(separator: ".").last.map(String.init) ?? path }
}

extension String {
    /// A text that cannot end the comment.
    fileprivate var inComment: String { String(TOMLText.string(self).dropFirst().dropLast()) }
}
