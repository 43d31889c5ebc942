import DeviceConfiguration

/// A worker of ImunoEdge's list.
struct ImunoEdgeWorker: Equatable {
    var name: String
    /// What it was called, when that is no name here.
    var formerName: String?
    var words: ShellWords
    /// As it stands in the list.
    var command: String
    var isEssential: Bool

    /// The workers of a list `name:command:essential,...`, and what is wrong with the others.
    ///
    /// A comma or a colon in quotes belongs to the command. ImunoEdge itself takes an entry without `essential` for one
    /// that is not, and passes over empty entries, as behind a last comma.
    static func list(_ text: String) -> (workers: [ImunoEdgeWorker], mistakes: [ImunoEdgeMistake]) {
        var workers: [ImunoEdgeWorker] = []
        var mistakes: [ImunoEdgeMistake] = []
        // With a quote that is not closed, the next commas would be part of it.
        let entries =
            ShellWords(text).openQuote == nil
            ? text.split(outsideQuotesAt: ",") : text.split(separator: ",", omittingEmptySubsequences: false)
        for (index, entry) in entries.enumerated() where !entry.trimmed.isEmpty {
            do throws(ImunoEdgeMistake) {
                let worker = try ImunoEdgeWorker(entry.trimmed, number: index + 1)
                if let earlier = workers.first(where: { $0.name == worker.name }) {
                    let former = worker.formerName ?? worker.name
                    throw ImunoEdgeMistake(
                        reason: "worker \(index + 1) is called \(former.quotedForMessage), as is the one that runs "
                            + earlier.command.quotedForMessage,
                        allowed: "a name for each")
                }
                workers.append(worker)
            } catch {
                mistakes.append(error)
            }
        }
        return (workers, mistakes)
    }

    private init(_ entry: String, number: Int) throws(ImunoEdgeMistake) {
        let form = "name:command:essential"
        guard let colon = entry.firstIndex(of: ":") else {
            throw ImunoEdgeMistake(
                reason: "worker \(number), \(entry.quotedForMessage), has no command", allowed: form)
        }
        let former = entry[..<colon].trimmed
        guard let nearest = ChildName.nearest(to: former) else {
            throw ImunoEdgeMistake(
                reason: former.isEmpty
                    ? "worker \(number) has no name" : "worker \(number) cannot be called \(former.quotedForMessage)",
                allowed: "a name of \(ChildName.allowed)")
        }
        name = ChildName.isReserved(nearest) ? "worker-\(nearest)" : nearest
        formerName = name == former ? nil : former

        var parts = entry[entry.index(after: colon)...].split(outsideQuotesAt: ":")
        isEssential = false
        if parts.count > 1, let last = parts.last?.trimmed {
            switch last.lowercased() {
            case "true": isEssential = true
            case "false": isEssential = false
            default:
                throw ImunoEdgeMistake(
                    reason: "worker \(former.quotedForMessage) is \(last.quotedForMessage) where it says whether it is "
                        + "essential (a colon of the command goes into quotes)",
                    allowed: "true or false")
            }
            parts.removeLast()
        }
        command = parts.joined(separator: ":").trimmed
        words = ShellWords(command)
        if let quote = words.openQuote {
            throw ImunoEdgeMistake(
                reason: "worker \(former.quotedForMessage): the quote \(quote) of its command is not closed")
        }
        guard let program = words.words.first, !program.isEmpty else {
            throw ImunoEdgeMistake(reason: "worker \(former.quotedForMessage) has no command", allowed: form)
        }
    }
}

extension StringProtocol where SubSequence == Substring {
    /// Splits at a character that does not stand in quotes or behind a backslash.
    fileprivate func split(outsideQuotesAt separator: Character) -> [Substring] {
        var parts: [Substring] = []
        var start = startIndex
        var quote: Character?
        var isEscaped = false
        for index in indices {
            let character = self[index]
            if isEscaped {
                isEscaped = false
            } else if character == "\\" && quote != "'" {
                isEscaped = true
            } else if let open = quote {
                if character == open { quote = nil }
            } else if character == "'" || character == "\"" {
                quote = character
            } else if character == separator {
                parts.append(self[start..<index])
                start = self.index(after: index)
            }
        }
        return parts + [self[start...]]
    }
}
