import MonotonicTime

/// A priority queue of things to come (a binary heap); equal instants come in the order in which they were put in.
struct EventQueue<Payload> {
    struct Entry {
        var due: MonotonicInstant
        var sequence: Int
        var payload: Payload

        fileprivate func comes(before other: Entry) -> Bool {
            due == other.due ? sequence < other.sequence : due < other.due
        }
    }

    private var heap: [Entry] = []
    private var nextSequence = 0

    var first: Entry? { heap.first }
    var count: Int { heap.count }

    mutating func insert(_ payload: Payload, at due: MonotonicInstant) {
        heap.append(Entry(due: due, sequence: nextSequence, payload: payload))
        nextSequence += 1
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard heap[child].comes(before: heap[parent]) else { break }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    mutating func popFirst() -> Entry? {
        guard let top = heap.first else { return nil }
        let last = heap.removeLast()
        guard !heap.isEmpty else { return top }
        heap[0] = last
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count {
                if heap[child].comes(before: heap[least]) { least = child }
            }
            guard least != parent else { return top }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}
