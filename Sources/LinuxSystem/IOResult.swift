/// What a call on a non-blocking descriptor gives: that it would block is an ordinary outcome, not an error.
package enum IOResult<Value: ~Copyable>: ~Copyable {
    case done(Value)
    case wouldBlock
}

extension IOResult: Copyable where Value: Copyable {}
extension IOResult: Sendable where Value: Sendable & ~Copyable {}

extension IOResult where Value: Copyable {
    /// The value, or `nil` when the call would block.
    package var value: Value? {
        switch self {
        case .done(let value): value
        case .wouldBlock: nil
        }
    }
}
