import LinuxSystem
import MonotonicTime

/// What one of Holdfast's own processes was asked and has not answered completely. Each question is answered once, with `nil`
/// when there is no answer in time, too much of it, or nobody to ask.
final class SystemQuestions {
    private struct Question {
        /// Ends the waiting.
        let timer: TimerID
        let answer: (String?) -> Void
        /// As far as it has come; `nil` once it has become too long.
        var text: String? = ""
    }

    private static let mostQuestions = 32
    /// Of an answer, in bytes: thousands of workers fit.
    private static let longestAnswer = 8 << 20

    private let loop: EventLoop
    private let answerTime: Duration
    private var open: [Int: Question] = [:]
    private var lastID = 0

    init(loop: EventLoop, answerTime: Duration) {
        self.loop = loop
        self.answerTime = answerTime
    }

    /// - Parameter send: sends the question under the number that its answer has to bear.
    func ask(_ answer: @escaping (String?) -> Void, _ send: (Int) -> Void) {
        guard open.count < Self.mostQuestions else { return answer(nil) }
        lastID += 1
        let id = lastID
        let timer = loop.schedule(at: loop.now + answerTime) { [weak self] in
            self?.open.removeValue(forKey: id)?.answer(nil)
        }
        open[id] = Question(timer: timer, answer: answer)
        send(id)
    }

    /// Adds a part of an answer.
    func append(_ part: String, to id: Int, isLast: Bool) {
        guard var question = open[id] else { return }
        if let text = question.text {
            let isTooLong = text.utf8.count + part.utf8.count > Self.longestAnswer
            question.text = isTooLong ? nil : text + part
        }
        open[id] = isLast ? nil : question
        if isLast { end(question, with: question.text) }
    }

    /// Nobody is there any more to answer.
    func endAll() {
        let all = open.sorted { $0.key < $1.key }
        open = [:]
        for (_, question) in all { end(question, with: nil) }
    }

    private func end(_ question: Question, with text: String?) {
        loop.cancel(question.timer)
        question.answer(text)
    }
}
