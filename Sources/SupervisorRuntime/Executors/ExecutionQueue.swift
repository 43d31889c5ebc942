/// Which commands run at once, and which wait: those of a plugin follow one another in their order, but for kinds of which
/// several may run beside each other. Pure.
struct ExecutionQueue: Equatable {
    struct Command: Equatable {
        var id: String
        var plugin: String
        /// Its plugin says that several of its kind may run at once.
        var isParallel: Bool
        /// Of its plugin, at a time.
        var most: Int
    }

    enum Event: Equatable {
        case submitted(Command)
        /// Nothing is left of it: neither of its processes is there any more.
        case gone(id: String)
        /// It is not to be started any more.
        case withdrawn(id: String)
    }

    enum Action: Equatable {
        case start(id: String)
        /// There are too many already.
        case refuse(id: String)
    }

    /// Of all plugins together. Each is two processes.
    static let mostRunning = 8
    static let mostWaiting = 64

    private(set) var running: [Command] = []
    /// The oldest first.
    private(set) var waiting: [Command] = []

    mutating func handle(_ event: Event) -> [Action] {
        switch event {
        case .submitted(let command):
            waiting.append(command)
            let actions = startWhatMay()
            guard waiting.count > Self.mostWaiting, let last = waiting.popLast() else { return actions }
            return actions + [.refuse(id: last.id)]
        case .gone(let id):
            running.removeAll { $0.id == id }
            return startWhatMay()
        case .withdrawn(let id):
            waiting.removeAll { $0.id == id }
            return startWhatMay()
        }
    }

    func running(of plugin: String) -> Int { running.count { $0.plugin == plugin } }
    func waiting(of plugin: String) -> Int { waiting.count { $0.plugin == plugin } }

    private mutating func startWhatMay() -> [Action] {
        var actions: [Action] = []
        // A plugin whose oldest command has to wait has all of them wait: none overtakes another.
        var held: Set<String> = []
        var rest: [Command] = []
        for command in waiting {
            if running.count < Self.mostRunning, !held.contains(command.plugin), mayStart(command) {
                running.append(command)
                actions.append(.start(id: command.id))
            } else {
                held.insert(command.plugin)
                rest.append(command)
            }
        }
        waiting = rest
        return actions
    }

    private func mayStart(_ command: Command) -> Bool {
        let others = running.filter { $0.plugin == command.plugin }
        guard !others.isEmpty else { return true }
        return command.isParallel && others.allSatisfy(\.isParallel) && others.count < command.most
    }
}
