import NIOCore
import Synchronization

/// Where devices wait for commands. Nothing asks the database over and over: whoever makes a command calls `notify`.
///
/// A waiter is a continuation and a few words. One timer serves them all, set to the next full second in which somebody's
/// time is up.
final class WaitingRoom: Sendable {
    /// How a wait ended.
    enum Outcome: Sendable { case notified, timedOut, replaced, gone, closing }

    fileprivate struct Waiter {
        var continuation: CheckedContinuation<Outcome, Never>
        var connection: ObjectIdentifier
        var ticket: UInt64
    }

    fileprivate struct Place {
        var device: Int64
        var ticket: UInt64
    }

    fileprivate struct State {
        var waiters: [Int64: Waiter] = [:]
        var connections: [ObjectIdentifier: Int64] = [:]
        /// Of each device, when it was last notified.
        var notified: [Int64: UInt64] = [:]
        /// Counts waits and notifications.
        var count: UInt64 = 0
        /// By second of the event loop's clock.
        var deadlines: [Int64: [Place]] = [:]
        var timer: Int64?
        var isClosing = false
    }

    private let state = Mutex(State())
    private let eventLoop: any EventLoop

    init(eventLoop: any EventLoop) { self.eventLoop = eventLoop }

    /// To be taken before looking for commands: what comes between the look and the wait is then not missed.
    func mark() -> UInt64 { state.withLock { $0.count } }

    var count: Int { state.withLock { $0.waiters.count } }

    func isWaiting(_ device: Int64) -> Bool { state.withLock { $0.waiters[device] != nil } }

    /// Waits until `notify`, for that long at most. A device waits once: an earlier wait of it ends.
    func wait(device: Int64, since mark: UInt64, connection: ObjectIdentifier, for seconds: Int64) async -> Outcome {
        let second = Self.second(.now()) + seconds + 1
        return await withCheckedContinuation { continuation in
            enum Next { case nothing, resume(CheckedContinuation<Outcome, Never>, Outcome), setTimer }
            let steps = state.withLock { state -> [Next] in
                if state.isClosing { return [.resume(continuation, .closing)] }
                if let notified = state.notified[device], notified > mark {
                    return [.resume(continuation, .notified)]
                }
                state.count += 1
                var steps: [Next] = []
                if let earlier = state.remove(device) { steps.append(.resume(earlier.continuation, .replaced)) }
                state.waiters[device] = Waiter(
                    continuation: continuation, connection: connection, ticket: state.count)
                state.connections[connection] = device
                state.deadlines[second, default: []].append(Place(device: device, ticket: state.count))
                if second < state.timer ?? .max {
                    state.timer = second
                    steps.append(.setTimer)
                }
                return steps
            }
            for step in steps {
                switch step {
                case .nothing: break
                case .resume(let continuation, let outcome): continuation.resume(returning: outcome)
                case .setTimer: setTimer(second)
                }
            }
        }
    }

    /// There is something for these devices.
    func notify(_ devices: some Sequence<Int64>) {
        let woken = state.withLock { state in
            state.count += 1
            var woken: [Waiter] = []
            for device in devices {
                state.notified[device] = state.count
                if let waiter = state.remove(device) { woken.append(waiter) }
            }
            return woken
        }
        for waiter in woken { waiter.continuation.resume(returning: .notified) }
    }

    /// The device's connection is closed.
    func leave(connection: ObjectIdentifier) {
        let waiter = state.withLock { state in state.connections[connection].flatMap { state.remove($0) } }
        waiter?.continuation.resume(returning: .gone)
    }

    /// The device may no longer wait.
    func dismiss(_ device: Int64) {
        let waiter = state.withLock { $0.remove(device) }
        waiter?.continuation.resume(returning: .gone)
    }

    /// Sends everybody away, for good.
    func close() {
        let woken = state.withLock { state in
            state.isClosing = true
            defer {
                state.waiters = [:]
                state.connections = [:]
                state.deadlines = [:]
            }
            return Array(state.waiters.values)
        }
        for waiter in woken { waiter.continuation.resume(returning: .closing) }
    }

    private static func second(_ time: NIODeadline) -> Int64 { Int64(time.uptimeNanoseconds / 1_000_000_000) }

    private func setTimer(_ second: Int64) {
        eventLoop.scheduleTask(deadline: .uptimeNanoseconds(UInt64(second) * 1_000_000_000)) { [weak self] in
            self?.timePassed()
        }
    }

    private func timePassed() {
        let now = Self.second(.now())
        let (woken, next) = state.withLock { state in
            var woken: [Waiter] = []
            for second in state.deadlines.keys where second <= now {
                for place in state.deadlines.removeValue(forKey: second) ?? []
                where state.waiters[place.device]?.ticket == place.ticket {
                    if let waiter = state.remove(place.device) { woken.append(waiter) }
                }
            }
            state.timer = state.deadlines.keys.min()
            return (woken, state.timer)
        }
        for waiter in woken { waiter.continuation.resume(returning: .timedOut) }
        if let next { setTimer(next) }
    }
}

extension WaitingRoom.State {
    fileprivate mutating func remove(_ device: Int64) -> WaitingRoom.Waiter? {
        guard let waiter = waiters.removeValue(forKey: device) else { return nil }
        if connections[waiter.connection] == device { connections[waiter.connection] = nil }
        return waiter
    }
}
