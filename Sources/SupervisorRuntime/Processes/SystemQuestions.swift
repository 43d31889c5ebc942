import LinuxSystem

/// What one of Holdfast's own processes was asked and has not answered completely.
struct SystemQuestions {
    struct Question {
        /// Ends the waiting.
        let timer: TimerID
        let answer: (String?) -> Void
        /// As far as it has come; `nil` once it has become too long.
        var text: String? = ""
    }

    private var open: [Int: Question] = [:]
    private var lastID = 0

    private static let mostQuestions = 32
    /// Of an answer, in bytes: thousands of workers fit.
    private static let longestAnswer = 8 << 20

    var hasRoom: Bool { open.count < Self.mostQuestions }

    var nextID: Int { lastID + 1 }

    mutating func add(_ id: Int, timer: TimerID, _ answer: @escaping (String?) -> Void) {
        lastID = id
        open[id] = Question(timer: timer, answer: answer)
    }

    mutating func take(_ id: Int) -> Question? { open.removeValue(forKey: id) }

    mutating func takeAll() -> [Question] {
        defer { open = [:] }
        return open.sorted { $0.key < $1.key }.map(\.value)
    }

    /// Adds a part of an answer.
    /// - Returns: the question when that was the last part.
    mutating func append(_ part: String, to id: Int, isLast: Bool) -> Question? {
        guard var question = open[id] else { return nil }
        if let text = question.text {
            let isTooLong = text.utf8.count + part.utf8.count > Self.longestAnswer
            question.text = isTooLong ? nil : text + part
        }
        open[id] = isLast ? nil : question
        return isLast ? question : nil
    }
}
