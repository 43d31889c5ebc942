/// The newest elements of an endless sequence, numbered without gaps. Old ones are overwritten; whoever reads by number can
/// tell from `first` what it has missed, so a slow reader needs no queue of its own.
struct SequencedRing<Element> {
    private var storage: [Element] = []
    private let capacity: Int
    private let start: Int
    /// The number that the next element will get.
    private(set) var next: Int

    /// - Parameter first: the number of the first element.
    init(capacity: Int, from first: Int = 1) {
        precondition(capacity > 0, "a ring holds at least one element")
        self.capacity = capacity
        next = first
        start = first
    }

    /// The oldest number that is still there; equals `next` when the ring is empty.
    var first: Int { next - storage.count }

    /// Appends the element that `make` returns for its number.
    @discardableResult
    mutating func append(_ make: (Int) -> Element) -> Element {
        let element = make(next)
        if storage.count < capacity {
            storage.append(element)
        } else {
            storage[slot(of: next)] = element
        }
        next += 1
        return element
    }

    /// The element of a number, unless it was overwritten or is still to come.
    subscript(number: Int) -> Element? {
        guard number >= first, number < next else { return nil }
        return storage[slot(of: number)]
    }

    /// Changes the element of a number, if it is still there.
    mutating func update(_ number: Int, _ change: (inout Element) -> Void) {
        guard number >= first, number < next else { return }
        change(&storage[slot(of: number)])
    }

    private func slot(of number: Int) -> Int { (number - start) % capacity }
}
