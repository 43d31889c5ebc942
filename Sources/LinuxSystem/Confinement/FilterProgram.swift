import Glibc

/// A program of the classic packet filter, as seccomp(2) runs it: load a word of the call, compare, answer.
struct FilterProgram {
    /// Where struct seccomp_data has it.
    enum Word: UInt32 {
        case number = 0
        case architecture = 4
        /// The lower half, on a little-endian machine. No flag that matters is in the other.
        case firstArgument = 16
    }

    enum Condition {
        case equal(UInt32)
        case greater(UInt32)
        case hasAny(UInt32)
    }

    enum Answer {
        case allowed, denied, unknown, unsupportedFamily

        /// SECCOMP_RET_ALLOW, or SECCOMP_RET_ERRNO with the error.
        fileprivate var value: UInt32 {
            switch self {
            case .allowed: 0x7fff_0000
            case .denied: 0x0005_0000 | UInt32(EPERM)
            case .unknown: 0x0005_0000 | UInt32(ENOSYS)
            case .unsupportedFamily: 0x0005_0000 | UInt32(EAFNOSUPPORT)
            }
        }
    }

    private(set) var instructions: [UInt64] = []

    mutating func load(_ word: Word) {
        append(0x20, word.rawValue)  // BPF_LD | BPF_W | BPF_ABS
    }

    mutating func answer(_ answer: Answer) {
        append(0x06, answer.value)  // BPF_RET | BPF_K
    }

    mutating func when(_ condition: Condition, answer: Answer) {
        when(condition) { $0.answer(answer) }
    }

    mutating func unless(_ condition: Condition, answer: Answer) {
        jump(condition, whenTrue: 1, whenFalse: 0)
        self.answer(answer)
    }

    /// What `body` adds is run when the condition holds, and is left out otherwise; it ends with an answer, for what it has
    /// loaded is not what follows expects. At most 255 instructions.
    mutating func when(_ condition: Condition, _ body: (inout FilterProgram) -> Void) {
        var inner = FilterProgram()
        body(&inner)
        jump(condition, whenTrue: 0, whenFalse: UInt8(inner.instructions.count))
        instructions += inner.instructions
    }

    private mutating func jump(_ condition: Condition, whenTrue: UInt8, whenFalse: UInt8) {
        let (code, value): (UInt16, UInt32) =
            switch condition {
            case .equal(let value): (0x15, value)  // BPF_JMP | BPF_JEQ | BPF_K
            case .greater(let value): (0x25, value)  // BPF_JGT
            case .hasAny(let bits): (0x45, bits)  // BPF_JSET
            }
        append(code, value, whenTrue, whenFalse)
    }

    /// The members of struct sock_filter, the first lowest.
    private mutating func append(_ code: UInt16, _ value: UInt32, _ whenTrue: UInt8 = 0, _ whenFalse: UInt8 = 0) {
        instructions.append(
            UInt64(code) | UInt64(whenTrue) << 16 | UInt64(whenFalse) << 24 | UInt64(value) << 32)
    }
}
