/// Spreads waits at random, or makes each the shortest that it can be.
package struct Jitter: RandomNumberGenerator {
    private var random = SystemRandomNumberGenerator()
    private let isNone: Bool

    package init(isNone: Bool = false) {
        self.isNone = isNone
    }

    package mutating func next() -> UInt64 { isNone ? 0 : random.next() }
}
