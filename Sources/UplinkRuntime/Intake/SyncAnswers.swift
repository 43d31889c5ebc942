import LinuxSystem

/// The pipes of those who wait until what they have sent is safe (`holdfast emit --sync`): a byte `+` tells them so, and
/// anything else is the reason why not.
struct SyncAnswers {
    private var waiting: [SharedDescriptor] = []

    /// An answer is written whole or not at all (PIPE_BUF).
    private static let longestAnswer = 512
    private static let mostWaiting = 256

    var isEmpty: Bool { waiting.isEmpty }
    var isFull: Bool { waiting.count >= Self.mostWaiting }

    mutating func add(_ pipe: SharedDescriptor) {
        waiting.append(pipe)
    }

    /// - Parameter refusal: `nil` when everything is safe.
    mutating func answerAll(_ refusal: String? = nil) {
        for pipe in waiting { Self.answer(pipe, refusal) }
        waiting = []
    }

    static func answer(_ pipe: SharedDescriptor, _ refusal: String?) {
        // Whatever else a worker may pass on could have us wait.
        guard let number = pipe.rawValue, (try? SystemCall.status(number))?.kind == .fifo,
            (try? SystemCall.setNonBlocking(number)) != nil
        else { return }
        _ = try? SystemCall.write(number, Array((refusal ?? "+").utf8.prefix(longestAnswer)))
        pipe.close()
    }
}
