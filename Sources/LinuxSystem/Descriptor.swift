import Glibc

/// A file descriptor with one owner, closed when the owner goes. All descriptors of the runtime are created
/// close-on-exec; a child gets those it is meant to have by `SpawnRequest`.
package struct Descriptor: ~Copyable {
    package let rawValue: Int32

    /// Takes over an open descriptor.
    package init(owning rawValue: Int32) {
        assert(rawValue >= 0, "a descriptor is not negative")
        self.rawValue = rawValue
    }

    /// Gives the descriptor up without closing it.
    package consuming func release() -> Int32 {
        let rawValue = rawValue
        discard self
        return rawValue
    }

    /// A second descriptor, close-on-exec, for the same open file.
    package borrowing func duplicate() throws(SystemError) -> Descriptor {
        try SystemCall.duplicate(rawValue)
    }

    deinit {
        SystemCall.close(rawValue)
    }
}

/// A descriptor in a place that cannot hold a move-only value (an array, an escaping closure). Closed with its last
/// reference unless it was taken.
package final class SharedDescriptor {
    private var descriptor: Descriptor?

    package init(_ descriptor: consuming Descriptor) {
        self.descriptor = consume descriptor
    }

    /// The number, or `nil` once the descriptor was taken or closed.
    package var rawValue: Int32? {
        switch descriptor {
        case .some(let held): held.rawValue
        case .none: nil
        }
    }

    /// Moves the descriptor out.
    package func take() -> Descriptor? {
        descriptor.take()
    }

    /// Closes it now, not with the last reference.
    package func close() {
        descriptor = nil
    }
}
