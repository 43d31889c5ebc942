import CLinux
import Glibc
package import MonotonicTime

/// The one thread's wait for everything: epoll for descriptors, one timerfd for deadlines. With no deadline the
/// timerfd is disarmed, so an idle process never wakes.
///
/// Level-triggered. Handlers may register, modify and unregister anything, themselves included, while events are
/// dispatched: each event carries the generation of its registration, so one that is stale, even for a descriptor
/// number in use again, reaches nobody (epoll(7), "event cache"). Unregister before closing a descriptor.
///
/// Within one wake-up descriptors of `order` `.normal` come first, then those of `.last`, then due timers: a watchdog
/// ping that waits in a socket is heard before the watchdog's deadline is judged.
package final class EventLoop {
    /// What to wait for. Hang-up and error are always reported.
    package struct Interest: OptionSet, Sendable {
        package let rawValue: UInt8

        package init(rawValue: UInt8) {
            self.rawValue = rawValue
        }

        package static let readable = Interest(rawValue: 1)
        package static let writable = Interest(rawValue: 2)
        /// EPOLLPRI: changes of cgroup.events and the like.
        package static let priority = Interest(rawValue: 4)

        var epollEvents: UInt32 {
            (contains(.readable) ? UInt32(EPOLLIN.rawValue) : 0) | (contains(.writable) ? UInt32(EPOLLOUT.rawValue) : 0)
                | (contains(.priority) ? UInt32(EPOLLPRI.rawValue) : 0)
        }
    }

    /// What a descriptor is ready for.
    package struct Readiness: OptionSet, Sendable {
        package let rawValue: UInt8

        package init(rawValue: UInt8) {
            self.rawValue = rawValue
        }

        package static let readable = Readiness(rawValue: 1)
        package static let writable = Readiness(rawValue: 2)
        package static let priority = Readiness(rawValue: 4)
        /// The other side is gone; there may still be bytes to read.
        package static let hangUp = Readiness(rawValue: 8)
        package static let error = Readiness(rawValue: 16)

        init(epollEvents events: UInt32) {
            var readiness: Readiness = []
            if events & UInt32(EPOLLIN.rawValue) != 0 { readiness.insert(.readable) }
            if events & UInt32(EPOLLOUT.rawValue) != 0 { readiness.insert(.writable) }
            if events & UInt32(EPOLLPRI.rawValue) != 0 { readiness.insert(.priority) }
            if events & UInt32(EPOLLHUP.rawValue) != 0 { readiness.insert(.hangUp) }
            if events & UInt32(EPOLLERR.rawValue) != 0 { readiness.insert(.error) }
            self = readiness
        }
    }

    /// When within a wake-up a descriptor's handler runs.
    package enum Order: Sendable {
        case normal
        /// After all others. For SIGCHLD: a main process whose pidfd is ready too must be handled as such first.
        case last
    }

    /// A descriptor under watch. Of no effect once unregistered, whatever the number is used for then.
    package struct Registration: Hashable, Sendable {
        let descriptor: Int32
        let generation: UInt32
    }

    private struct Slot {
        var generation: UInt32
        var order: Order
        var handler: (Readiness) -> Void
    }

    /// Events taken from the kernel at a time.
    private static let batchSize = 128
    private static let timerToken = UInt64.max

    private let epoll: Descriptor
    private let timer: Descriptor
    private let events: UnsafeMutableBufferPointer<epoll_event>
    /// By descriptor number: the kernel hands out the lowest, so the table stays small.
    private var slots: [Slot?] = []
    private var nextGeneration: UInt32 = 0
    private var timers = TimerQueue()
    private var armedDeadline: MonotonicInstant?
    private var isDispatching = false
    /// The events of this wake-up that no handler has had yet.
    private var undispatched = 0..<0
    private var isStopped = false

    /// The time of the current wake-up.
    package private(set) var now: MonotonicInstant

    package init() throws(SystemError) {
        epoll = Descriptor(owning: try SystemCall.perform("epoll_create1") { epoll_create1(Int32(EPOLL_CLOEXEC)) })
        timer = Descriptor(
            owning: try SystemCall.perform("timerfd_create") {
                timerfd_create(CLOCK_MONOTONIC, Int32(hf_tfd_cloexec | hf_tfd_nonblock))
            })
        events = .allocate(capacity: EventLoop.batchSize)
        now = MonotonicClock.now()
        try control(EPOLL_CTL_ADD, timer.rawValue, events: UInt32(EPOLLIN.rawValue), token: EventLoop.timerToken)
    }

    deinit {
        events.deallocate()
    }

    // MARK: Descriptors

    /// Watches a descriptor, which the caller keeps open until it has unregistered it.
    package func register(
        _ descriptor: Int32, _ interest: Interest, order: Order = .normal, _ handler: @escaping (Readiness) -> Void
    ) throws(SystemError) -> Registration {
        nextGeneration &+= 1
        let registration = Registration(descriptor: descriptor, generation: nextGeneration)
        try control(EPOLL_CTL_ADD, descriptor, events: interest.epollEvents, token: EventLoop.token(registration))
        while slots.count <= Int(descriptor) { slots.append(nil) }
        slots[Int(descriptor)] = Slot(generation: nextGeneration, order: order, handler: handler)
        return registration
    }

    /// Changes what to wait for; nothing but hang-up and error when empty. No effect on a stale registration.
    package func modify(_ registration: Registration, _ interest: Interest) throws(SystemError) {
        guard slot(registration) != nil else { return }
        try control(
            EPOLL_CTL_MOD, registration.descriptor, events: interest.epollEvents,
            token: EventLoop.token(registration))
    }

    /// Ends the watch; no handler call follows, not even for an event already taken from the kernel.
    package func unregister(_ registration: Registration) {
        guard slot(registration) != nil else { return }
        slots[Int(registration.descriptor)] = nil
        // Fails only when the descriptor was closed before, which took it out of the epoll set already (unless another
        // descriptor shares its open file; hence "unregister before closing").
        _ = epoll_ctl(epoll.rawValue, EPOLL_CTL_DEL, registration.descriptor, nil)
    }

    /// Whether the registration still stands.
    package func isRegistered(_ registration: Registration) -> Bool {
        slot(registration) != nil
    }

    // MARK: Timers

    /// Calls `handler` once at or after `deadline`. A deadline in the past is due in the next wake-up.
    @discardableResult
    package func schedule(at deadline: MonotonicInstant, _ handler: @escaping () -> Void) -> TimerID {
        timers.schedule(at: deadline, handler)
    }

    /// Forgets a timer; harmless when it has fired.
    package func cancel(_ timer: TimerID) {
        timers.cancel(timer)
    }

    /// Reads the clock again, for a handler that took long.
    package func refreshNow() {
        now = MonotonicClock.now()
    }

    /// Whether handlers of this wake-up still follow, those of `.last` and timers aside: what does not have to be done at
    /// once can be done for all of them together.
    package var hasMoreEvents: Bool {
        events[undispatched].contains { event in
            event.data.u64 != EventLoop.timerToken
                && slot(EventLoop.registration(event.data.u64))?.order == .normal
        }
    }

    // MARK: Running

    /// Dispatches events until `stop()`.
    package func run() throws(SystemError) {
        isStopped = false
        while !isStopped { try runOnce(timeout: nil) }
    }

    /// Ends `run()` after the current wake-up.
    package func stop() {
        isStopped = true
    }

    /// Waits for one batch of events, at most for `timeout` (`nil`: until something happens), and dispatches it.
    package func runOnce(timeout: Duration?) throws(SystemError) {
        precondition(!isDispatching, "the event loop does not run inside its own handlers")
        let count = try waitForEvents(timeout)
        now = MonotonicClock.now()
        isDispatching = true
        defer { isDispatching = false }
        dispatch(count)
        fireTimers()
    }

    private func waitForEvents(_ timeout: Duration?) throws(SystemError) -> Int {
        let deadline = timers.earliest()
        var timeout = timeout
        if let deadline, deadline <= now {
            timeout = .zero
        } else if deadline != armedDeadline {
            try arm(deadline)
        }
        let milliseconds = EventLoop.milliseconds(timeout)
        #if DEBUG
            if let injected = FaultInjection.take("epoll_wait") {
                throw SystemError(call: "epoll_wait", errno: injected)
            }
        #endif
        let count = epoll_wait(epoll.rawValue, events.baseAddress, Int32(events.count), milliseconds)
        if count >= 0 { return Int(count) }
        // Not retried: the time-out would begin anew.
        if errno == EINTR { return 0 }
        throw SystemError(call: "epoll_wait", errno: errno)
    }

    private func dispatch(_ count: Int) {
        var hasLast = false
        for index in 0..<count {
            undispatched = index + 1..<count
            let event = events[index]
            if event.data.u64 == EventLoop.timerToken {
                consumeTimer()
            } else if let slot = slot(EventLoop.registration(event.data.u64)) {
                if slot.order == .normal { slot.handler(Readiness(epollEvents: event.events)) } else { hasLast = true }
            }
        }
        guard hasLast else { return }
        for event in events[..<count] where event.data.u64 != EventLoop.timerToken {
            if let slot = slot(EventLoop.registration(event.data.u64)), slot.order == .last {
                slot.handler(Readiness(epollEvents: event.events))
            }
        }
    }

    /// A timer scheduled by a timer's handler waits for the next wake-up, so that descriptors have their turn.
    private func fireTimers() {
        let limit = timers.upcoming
        while let handler = timers.takeDue(at: now, scheduledBefore: limit) { handler() }
    }

    private func consumeTimer() {
        var expirations: UInt64 = 0
        // EAGAIN when it was armed anew meanwhile; either way the timer no longer is what `armedDeadline` says.
        _ = Glibc.read(timer.rawValue, &expirations, MemoryLayout<UInt64>.size)
        armedDeadline = nil
    }

    private func arm(_ deadline: MonotonicInstant?) throws(SystemError) {
        var setting = itimerspec()
        if let deadline {
            // Zero would disarm.
            let nanoseconds = max(deadline.nanoseconds, 1)
            setting.it_value.tv_sec = Int(nanoseconds / 1_000_000_000)
            setting.it_value.tv_nsec = Int(nanoseconds % 1_000_000_000)
        }
        try SystemCall.perform("timerfd_settime") {
            timerfd_settime(timer.rawValue, Int32(hf_tfd_timer_abstime), &setting, nil)
        }
        armedDeadline = deadline
    }

    private func control(
        _ operation: Int32, _ descriptor: Int32, events: UInt32, token: UInt64
    ) throws(SystemError) {
        var event = epoll_event()
        event.events = events
        event.data.u64 = token
        try SystemCall.perform("epoll_ctl") { epoll_ctl(epoll.rawValue, operation, descriptor, &event) }
    }

    private func slot(_ registration: Registration) -> Slot? {
        let index = Int(registration.descriptor)
        guard index < slots.count, let slot = slots[index], slot.generation == registration.generation else {
            return nil
        }
        return slot
    }

    private static func token(_ registration: Registration) -> UInt64 {
        UInt64(registration.generation) << 32 | UInt64(UInt32(bitPattern: registration.descriptor))
    }

    private static func registration(_ token: UInt64) -> Registration {
        Registration(
            descriptor: Int32(bitPattern: UInt32(truncatingIfNeeded: token)), generation: UInt32(token >> 32))
    }

    /// A time-out for poll(2) and epoll_wait(2): rounded up, so that a wait never ends before its time.
    static func milliseconds(_ timeout: Duration?) -> Int32 {
        guard let timeout else { return -1 }
        let nanoseconds = max(timeout.wholeNanoseconds, 0)
        return Int32(clamping: nanoseconds / 1_000_000 + (nanoseconds % 1_000_000 == 0 ? 0 : 1))
    }
}
