#if DEBUG
    import CLinux
    import Glibc
    import Synchronization

    /// Makes system calls fail on purpose, in debug builds. Faults belong to the thread that asked for them, so that
    /// tests which run beside each other do not meet; those for every thread come from `installForProcess`.
    package enum FaultInjection {
        /// How often a fault strikes.
        package enum Repetition: Sendable {
            case times(Int)
            case always
        }

        private struct Fault {
            var call: String
            var errno: Int32
            var remaining: Int?
            var thread: Int32?
        }

        // SAFETY: touched only by who has `isTaken`.
        private nonisolated(unsafe) static var faults: [Fault] = []
        /// For `faults`, in place of a Mutex: that one the thread sanitizer does not see, and reports what it guards.
        private static let isTaken = Atomic<Bool>(false)
        /// Spares the lock while nothing is injected.
        private static let count = Atomic<Int>(0)

        /// Runs `body` with calls named `call` failing by `errno`.
        @discardableResult
        package static func during<Result: ~Copyable, Failure: Error>(
            _ call: String, errno: Int32, _ repetition: Repetition = .always, _ body: () throws(Failure) -> Result
        ) throws(Failure) -> Result {
            let thread = hf_thread_id()
            add(Fault(call: call, errno: errno, remaining: remaining(repetition), thread: thread))
            defer { remove { $0.thread == thread && $0.call == call } }
            return try body()
        }

        /// Installs faults for every thread from text such as "clone3=11:3,openat=24": call, error number, times.
        /// Parts that cannot be read are left out.
        package static func installForProcess(_ text: String) {
            for part in text.split(separator: ",") {
                let sides = part.split(separator: "=")
                guard sides.count == 2 else { continue }
                let numbers = sides[1].split(separator: ":")
                guard let first = numbers.first, let code = Int32(first) else { continue }
                let times = numbers.count > 1 ? Int(numbers[1]) : nil
                add(Fault(call: String(sides[0]), errno: code, remaining: times, thread: nil))
            }
        }

        /// Removes what `installForProcess` installed.
        package static func clearForProcess() {
            remove { $0.thread == nil }
        }

        /// The error number that this call is to fail with, if any; uses up one repetition.
        static func take(_ call: StaticString) -> Int32? {
            guard count.load(ordering: .relaxed) > 0 else { return nil }
            let name = call.description
            let thread = hf_thread_id()
            return withFaults { faults in
                let found = faults.firstIndex {
                    $0.call == name && ($0.thread == nil || $0.thread == thread) && $0.remaining != 0
                }
                guard let found else { return nil }
                if let remaining = faults[found].remaining { faults[found].remaining = remaining - 1 }
                return faults[found].errno
            }
        }

        private static func withFaults<Result>(_ body: (inout [Fault]) -> Result) -> Result {
            while isTaken.exchange(true, ordering: .acquiring) { sched_yield() }
            defer { isTaken.store(false, ordering: .releasing) }
            return body(&faults)
        }

        private static func remaining(_ repetition: Repetition) -> Int? {
            switch repetition {
            case .times(let times): times
            case .always: nil
            }
        }

        private static func add(_ fault: Fault) {
            withFaults { $0.append(fault) }
            count.add(1, ordering: .relaxed)
        }

        private static func remove(_ isObsolete: (Fault) -> Bool) {
            let removed = withFaults { faults in
                let before = faults.count
                faults.removeAll(where: isObsolete)
                return before - faults.count
            }
            count.subtract(removed, ordering: .relaxed)
        }
    }
#endif
