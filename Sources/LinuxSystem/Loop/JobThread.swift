import Glibc

/// One thread beside the event loop's, for work that waits for the disk for long. Jobs are done one after the other, in their
/// order; what has come of them is told on the event loop. Never ends before the process does.
package final class JobThread {
    private let loop: EventLoop
    private let shared: Shared
    private var registration: EventLoop.Registration?
    private var completions: [Int: (Result) -> Void] = [:]
    private var last = 0

    /// What a job hands over.
    private typealias Result = any Sendable

    /// Jobs that are not done yet, or not told of.
    package var isIdle: Bool { completions.isEmpty }

    package init(loop: EventLoop) throws(SystemError) {
        self.loop = loop
        let pipe = try SystemCall.makePipe(nonBlocking: true).shared()
        shared = Shared(pipe.0, pipe.1)
        registration = try loop.register(pipe.0.rawValue ?? -1, .readable) { [weak self] _ in self?.tell() }
        var thread = pthread_t()
        let code = pthread_create(
            &thread, nil,
            { context in
                guard let context else { return nil }
                Unmanaged<Shared>.fromOpaque(context).takeRetainedValue().work()
                return nil
            }, Unmanaged.passRetained(shared).toOpaque())
        guard code == 0 else { throw SystemError(call: "pthread_create", errno: code) }
        pthread_detach(thread)
    }

    deinit {
        if let registration { loop.unregister(registration) }
        shared.finish()
    }

    /// - Parameters:
    ///   - body: done by the thread.
    ///   - completion: called later on the event loop, unless this object is gone by then.
    package func perform<Value: Sendable>(
        _ body: @escaping @Sendable () -> Value, _ completion: @escaping (Value) -> Void
    ) {
        last += 1
        completions[last] = { if let value = $0 as? Value { completion(value) } }
        shared.add(last) { body() }
    }

    private func tell() {
        for (id, value) in shared.takeDone() { completions.removeValue(forKey: id)?(value) }
    }

    /// SAFETY: everything that changes is guarded by `mutex`.
    private final class Shared: @unchecked Sendable {
        /// Wakes the event loop.
        private let (told, telling): (SharedDescriptor, SharedDescriptor)
        private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
        private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
        private var waiting: [(id: Int, body: @Sendable () -> Result)] = []
        private var done: [(id: Int, value: Result)] = []
        private var isFinished = false

        init(_ told: SharedDescriptor, _ telling: SharedDescriptor) {
            (self.told, self.telling) = (told, telling)
            pthread_mutex_init(mutex, nil)
            pthread_cond_init(condition, nil)
        }

        deinit {
            pthread_cond_destroy(condition)
            pthread_mutex_destroy(mutex)
            condition.deallocate()
            mutex.deallocate()
        }

        private func locked<Value>(_ body: () -> Value) -> Value {
            pthread_mutex_lock(mutex)
            defer { pthread_mutex_unlock(mutex) }
            return body()
        }

        func add(_ id: Int, _ body: @escaping @Sendable () -> Result) {
            locked {
                waiting.append((id, body))
                _ = pthread_cond_signal(condition)
            }
        }

        func finish() {
            locked {
                isFinished = true
                _ = pthread_cond_signal(condition)
            }
        }

        func takeDone() -> [(id: Int, value: Result)] {
            locked {
                var byte: UInt8 = 0
                while read(told.rawValue ?? -1, &byte, 1) == 1 {}
                defer { done = [] }
                return done
            }
        }

        private func next() -> (id: Int, body: @Sendable () -> Result)? {
            locked {
                while waiting.isEmpty, !isFinished { pthread_cond_wait(condition, mutex) }
                return isFinished ? nil : waiting.removeFirst()
            }
        }

        /// The thread.
        func work() {
            while let job = next() {
                let value = job.body()
                locked {
                    done.append((job.id, value))
                    // A full pipe has woken it already.
                    if let number = telling.rawValue { _ = try? SystemCall.write(number, [0]) }
                }
            }
        }
    }
}

/// Something that only the jobs of one `JobThread` use, whatever it is.
///
/// SAFETY: jobs follow one another on one thread; whoever makes one of these touches it in jobs only.
package struct JobLocal<Value>: @unchecked Sendable {
    package let value: Value

    package init(_ value: Value) { self.value = value }
}
