import MonotonicTime

/// What a registry knows of each of its nodes without looking at them: with a thousand nodes that takes too long to be
/// done at every event.
protocol RegisteredNode: Sendable {
    /// When something has to be done about it without an event; `nil` for never.
    var deadline: MonotonicInstant? { get }
    /// Whether it is to be started by its parent's start sequence.
    var isWaiting: Bool { get }
}

/// Nodes by identity. Slots are reused, identities are not: an identity carries its slot's generation, so that a stale one
/// finds nothing instead of somebody else.
struct Registry<ID: RawRepresentable & Hashable & Sendable, Node: RegisteredNode>: Sendable where ID.RawValue == Int {
    private var slots: [(generation: Int, node: Node?)] = []
    /// The slots whose nodes may have changed since `takeTouched`, without repetitions.
    private var touched: [Int] = []
    private var isTouched: [Bool] = []
    private var free: [Int] = []
    /// By slot.
    private var deadlines: [MonotonicInstant?] = []
    private var waitingCount = 0
    private let makeID: @Sendable (Int) -> ID

    init(_ makeID: @escaping @Sendable (Int) -> ID) {
        self.makeID = makeID
    }

    private static var slotMask: Int { (1 << 32) - 1 }

    /// Every identity in use, oldest slot first.
    var ids: [ID] {
        slots.indices.compactMap { slots[$0].node == nil ? nil : makeID(slots[$0].generation << 32 | $0) }
    }

    mutating func insert(_ makeNode: (ID) -> Node) -> ID {
        let slot: Int
        if let reused = free.popLast() {
            slot = reused
        } else {
            slots.append((generation: 0, node: nil))
            isTouched.append(false)
            deadlines.append(nil)
            slot = slots.count - 1
        }
        let id = makeID(slots[slot].generation << 32 | slot)
        let node = makeNode(id)
        put(node, slot)
        touch(slot)
        return id
    }

    mutating func remove(_ id: ID) {
        guard contains(id) else { return }
        let slot = id.rawValue & Self.slotMask
        _ = take(slot)
        deadlines[slot] = nil
        slots[slot].generation += 1
        free.append(slot)
    }

    private mutating func put(_ node: Node, _ slot: Int) {
        deadlines[slot] = node.deadline
        if node.isWaiting { waitingCount += 1 }
        slots[slot].node = node
    }

    private mutating func take(_ slot: Int) -> Node? {
        let node = slots[slot].node.take()
        if let node, node.isWaiting { waitingCount -= 1 }
        return node
    }

    /// Whether any node is waiting.
    var hasWaiting: Bool { waitingCount > 0 }

    /// The earliest deadline of all.
    var nextDeadline: MonotonicInstant? {
        var earliest: MonotonicInstant?
        for case let deadline? in deadlines where earliest.map({ deadline < $0 }) ?? true { earliest = deadline }
        return earliest
    }

    /// The deadline of an identity that is known to be in use.
    func deadline(of id: ID) -> MonotonicInstant? { deadlines[id.rawValue & Self.slotMask] }

    var hasTouched: Bool { !touched.isEmpty }

    /// The identities in use whose nodes were added, or given out to be changed, since the last call.
    mutating func takeTouched() -> [ID] {
        defer { touched.removeAll(keepingCapacity: true) }
        return touched.compactMap { slot in
            isTouched[slot] = false
            return slots[slot].node == nil ? nil : makeID(slots[slot].generation << 32 | slot)
        }
    }

    private mutating func touch(_ slot: Int) {
        guard !isTouched[slot] else { return }
        isTouched[slot] = true
        touched.append(slot)
    }

    func contains(_ id: ID) -> Bool {
        let slot = id.rawValue & Self.slotMask
        return id.rawValue >= 0 && slot < slots.count && slots[slot].node != nil
            && slots[slot].generation == id.rawValue >> 32
    }

    /// The node of an identity that is known to be in use; anything else is a programming error and traps.
    subscript(_ id: ID) -> Node {
        get {
            guard let node = slots[id.rawValue & Self.slotMask].node else { preconditionFailure("no node \(id)") }
            return node
        }
        _modify {
            let slot = id.rawValue & Self.slotMask
            guard var node = take(slot) else { preconditionFailure("no node \(id)") }
            touch(slot)
            defer { put(node, slot) }
            yield &node
        }
    }
}
