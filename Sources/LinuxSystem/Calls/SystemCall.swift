import Glibc

/// The one funnel for system calls: it retries EINTR, makes "would block" a value, traps in debug builds on what only
/// a bug of ours can cause (EBADF, EFAULT), and turns everything else into a `SystemError` that names the call. In
/// debug builds `FaultInjection` can make any call fail here.
package enum SystemCall {
    /// Performs a call that answers -1 and errno on failure.
    @inline(__always)
    @discardableResult
    static func perform<Result: FixedWidthInteger & SignedInteger>(
        _ name: StaticString, _ subject: @autoclosure () -> String? = nil, _ body: () -> Result
    ) throws(SystemError) -> Result {
        while true {
            #if DEBUG
                if let injected = FaultInjection.take(name) {
                    throw SystemError(call: name.description, errno: injected, subject: subject())
                }
            #endif
            let result = body()
            if result >= 0 { return result }
            let code = errno
            if code == EINTR { continue }
            assert(code != EBADF && code != EFAULT, "\(name) failed with errno \(code)")
            throw SystemError(call: name.description, errno: code, subject: subject())
        }
    }

    /// Performs a call whose EAGAIN means "later".
    @inline(__always)
    static func performNonBlocking<Result: FixedWidthInteger & SignedInteger>(
        _ name: StaticString, _ body: () -> Result
    ) throws(SystemError) -> IOResult<Result> {
        do throws(SystemError) {
            return .done(try perform(name, nil, body))
        } catch {
            if error.errno == EAGAIN || error.errno == EWOULDBLOCK { return .wouldBlock }
            throw error
        }
    }

    /// close(2). Never retried: Linux has released the number even when it answers EINTR. A delayed write error is
    /// nothing that the caller could repair here; files that must be durable are synced first.
    static func close(_ descriptor: Int32) {
        let result = Glibc.close(descriptor)
        assert(result == 0 || errno != EBADF, "closed descriptor \(descriptor) twice")
    }
}
