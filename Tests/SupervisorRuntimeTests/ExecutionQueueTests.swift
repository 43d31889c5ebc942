import SeededRandom
import Testing

@testable import SupervisorRuntime

struct ExecutionQueueTests {
    private static func command(
        _ id: String, of plugin: String = "p", parallel: Bool = false, most: Int = 2
    ) -> ExecutionQueue.Event {
        .submitted(ExecutionQueue.Command(id: id, plugin: plugin, isParallel: parallel, most: most))
    }

    @Test func `commands of a plugin follow one another, and other plugins' go on`() {
        var queue = ExecutionQueue()
        #expect(queue.handle(Self.command("1")) == [.start(id: "1")])
        #expect(queue.handle(Self.command("2")) == [])
        #expect(queue.handle(Self.command("3", of: "q")) == [.start(id: "3")])
        #expect(queue.handle(Self.command("4")) == [])
        #expect(queue.handle(.gone(id: "3")) == [])
        #expect(queue.handle(.gone(id: "1")) == [.start(id: "2")])
        #expect(queue.handle(.gone(id: "2")) == [.start(id: "4")])
    }

    @Test func `parallel kinds run beside each other, as many as are allowed, and beside no other kind`() {
        var queue = ExecutionQueue()
        #expect(queue.handle(Self.command("1", parallel: true)) == [.start(id: "1")])
        #expect(queue.handle(Self.command("2", parallel: true)) == [.start(id: "2")])
        #expect(queue.handle(Self.command("3", parallel: true)) == [])
        #expect(queue.handle(Self.command("4")) == [])
        #expect(queue.handle(Self.command("5", parallel: true)) == [])
        #expect(queue.handle(.gone(id: "1")) == [.start(id: "3")])
        #expect(queue.handle(.gone(id: "2")) == [])
        #expect(queue.handle(.gone(id: "3")) == [.start(id: "4")])
        #expect(queue.handle(.gone(id: "4")) == [.start(id: "5")])
    }

    @Test func `what is withdrawn lets the next one through`() {
        var queue = ExecutionQueue()
        _ = queue.handle(Self.command("1", parallel: true))
        #expect(queue.handle(Self.command("2")) == [])
        #expect(queue.handle(Self.command("3", parallel: true)) == [])
        #expect(queue.handle(.withdrawn(id: "2")) == [.start(id: "3")])
    }

    @Test func `there are only so many at once, and only so many that wait`() {
        var queue = ExecutionQueue()
        for index in 0..<ExecutionQueue.mostRunning {
            #expect(queue.handle(Self.command("r\(index)", of: "p\(index)")) == [.start(id: "r\(index)")])
        }
        for index in 0..<ExecutionQueue.mostWaiting {
            #expect(queue.handle(Self.command("w\(index)", of: "q\(index)")) == [])
        }
        #expect(queue.handle(Self.command("late", of: "x")) == [.refuse(id: "late")])
        #expect(queue.handle(.gone(id: "r0")) == [.start(id: "w0")])
    }

    /// Whatever comes in whatever order: the limits hold, none overtakes another of its plugin, and all are started once.
    @Test(arguments: 0..<200) func `random histories keep the rules`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var queue = ExecutionQueue()
        var submitted: [String: [String]] = [:]
        var started: [String: [String]] = [:]
        var plugins: [String: String] = [:]
        func note(_ actions: [ExecutionQueue.Action]) {
            for case .start(let id) in actions { started[plugins[id] ?? "", default: []].append(id) }
        }
        for number in 0..<60 {
            if Bool.random(using: &random) || queue.running.isEmpty {
                let plugin = "p\(Int.random(in: 0..<4, using: &random))"
                plugins["\(number)"] = plugin
                submitted[plugin, default: []].append("\(number)")
                note(queue.handle(Self.command("\(number)", of: plugin, parallel: .random(using: &random), most: 3)))
            } else if let gone = queue.running.randomElement(using: &random) {
                note(queue.handle(.gone(id: gone.id)))
            }
            #expect(queue.running.count <= ExecutionQueue.mostRunning)
            for plugin in submitted.keys {
                let running = queue.running.filter { $0.plugin == plugin }
                #expect(running.count <= 1 || running.allSatisfy(\.isParallel) && running.count <= 3)
            }
        }
        while let next = queue.running.first { note(queue.handle(.gone(id: next.id))) }
        #expect(queue.waiting.isEmpty)
        #expect(started == submitted)
    }
}
