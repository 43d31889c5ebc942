import MonotonicTime

/// Names a scheduled timer; never reused.
package struct TimerID: Hashable, Sendable {
    let sequence: UInt64
}

/// Timers by deadline, and by the order of their scheduling within one: a binary heap beside the handlers. A cancelled
/// timer leaves its heap entry behind; the heap is rebuilt once those are the majority, so that timers which are
/// cancelled and scheduled again for years stay in constant memory.
struct TimerQueue {
    private struct Entry: Comparable {
        var deadline: MonotonicInstant
        var sequence: UInt64

        static func < (left: Entry, right: Entry) -> Bool {
            (left.deadline, left.sequence) < (right.deadline, right.sequence)
        }
    }

    private var heap: [Entry] = []
    private var handlers: [UInt64: () -> Void] = [:]
    private var nextSequence: UInt64 = 1

    /// Entries that the heap may hold beyond the live ones before it is rebuilt.
    private static let slack = 64

    var count: Int { handlers.count }

    /// How many entries the heap holds, the cancelled included.
    var storedCount: Int { heap.count }

    mutating func schedule(at deadline: MonotonicInstant, _ handler: @escaping () -> Void) -> TimerID {
        let sequence = nextSequence
        nextSequence += 1
        handlers[sequence] = handler
        heap.append(Entry(deadline: deadline, sequence: sequence))
        siftUp(from: heap.count - 1)
        return TimerID(sequence: sequence)
    }

    mutating func cancel(_ timer: TimerID) {
        guard handlers.removeValue(forKey: timer.sequence) != nil else { return }
        if heap.count > 2 * handlers.count + TimerQueue.slack {
            heap.removeAll { handlers[$0.sequence] == nil }
            heap.sort()
        }
    }

    /// The deadline of the next live timer.
    mutating func earliest() -> MonotonicInstant? {
        while let first = heap.first {
            if handlers[first.sequence] != nil { return first.deadline }
            removeFirst()
        }
        return nil
    }

    /// Takes the next timer that is due and was scheduled before `limit`.
    mutating func takeDue(at now: MonotonicInstant, scheduledBefore limit: TimerID) -> (() -> Void)? {
        guard let deadline = earliest(), deadline <= now, let first = heap.first, first.sequence < limit.sequence
        else { return nil }
        removeFirst()
        return handlers.removeValue(forKey: first.sequence)
    }

    /// The identity that the next scheduled timer will have.
    var upcoming: TimerID { TimerID(sequence: nextSequence) }

    private mutating func removeFirst() {
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        siftDown(from: 0)
    }

    private mutating func siftUp(from start: Int) {
        var child = start
        while child > 0 {
            let parent = (child - 1) / 2
            if heap[parent] <= heap[child] { return }
            heap.swapAt(parent, child)
            child = parent
        }
    }

    private mutating func siftDown(from start: Int) {
        var parent = start
        while true {
            var smallest = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && heap[child] < heap[smallest] {
                smallest = child
            }
            if smallest == parent { return }
            heap.swapAt(parent, smallest)
            parent = smallest
        }
    }
}
