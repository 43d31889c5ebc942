/// Reads the answer to a GET as it comes, and decides as soon as it can.
struct HTTPAnswerJudge {
    enum Verdict: Equatable {
        case undecided
        case success
        case failure(String)
    }

    /// Of an answer, with its head; nothing further is read.
    static let mostBytes = 64 * 1024
    private static let longestHead = 16 * 1024

    private let subject: String
    private let statuses: ClosedRange<Int>
    private let wanted: [UInt8]?
    private let wantedText: String
    private var bytes: [UInt8] = []
    private var hasStatus = false
    private var bodyStart: Int?
    /// Up to here the wanted text does not begin.
    private var searched = 0

    init(subject: String, statuses: ClosedRange<Int>, bodyContains text: String?) {
        self.subject = subject
        self.statuses = statuses
        wanted = text.map { Array($0.utf8) }
        wantedText = text ?? ""
    }

    /// - Parameter new: what came; empty at the end of the answer.
    mutating func take(_ new: UnsafeRawBufferPointer) -> Verdict {
        bytes.append(contentsOf: new.prefix(HTTPAnswerJudge.mostBytes - bytes.count))
        let isComplete = new.isEmpty || bytes.count == HTTPAnswerJudge.mostBytes
        if !hasStatus {
            switch judgeStatus(isComplete) {
            case .success where wanted == nil: return .success
            case .success: hasStatus = true
            case let verdict: return verdict
            }
        }
        guard let wanted else { return .success }
        if bodyStart == nil { bodyStart = endOfHead() }
        if bodyStart == nil, bytes.count > HTTPAnswerJudge.longestHead {
            return .failure("\(subject) answers with a head of more than \(HTTPAnswerJudge.longestHead / 1024) KiB")
        }
        if let bodyStart, contains(wanted, from: bodyStart) { return .success }
        guard isComplete else { return .undecided }
        let extent = new.isEmpty ? "" : " in its first \(HTTPAnswerJudge.mostBytes / 1024) KiB"
        return .failure("\(subject) does not answer with \"\(wantedText)\"\(extent)")
    }

    /// `.success`: it is one of those that are expected.
    private func judgeStatus(_ isComplete: Bool) -> Verdict {
        guard let end = bytes.firstIndex(of: UInt8(ascii: "\n")) else {
            // A status line is a few dozen bytes.
            guard isComplete || bytes.count > 1024 else { return .undecided }
            return .failure(bytes.isEmpty ? "\(subject) was not answered" : "\(subject) was not answered in HTTP")
        }
        let fields = String(decoding: bytes[..<end], as: UTF8.self).split(separator: " ", maxSplits: 2)
        guard fields.count >= 2, fields[0].hasPrefix("HTTP/"), let status = Int(fields[1].prefix(3)) else {
            return .failure("\(subject) was not answered in HTTP")
        }
        guard statuses.contains(status) else {
            let expected =
                statuses.count == 1 ? "\(statuses.lowerBound)" : "\(statuses.lowerBound) to \(statuses.upperBound)"
            return .failure("\(subject) answered \(status), expected \(expected)")
        }
        return .success
    }

    /// Behind the first empty line.
    private func endOfHead() -> Int? {
        var lineStart = 0
        while let end = bytes[lineStart...].firstIndex(of: UInt8(ascii: "\n")) {
            let line = bytes[lineStart..<end]
            if line.isEmpty || line.elementsEqual([UInt8(ascii: "\r")]) { return end + 1 }
            lineStart = end + 1
        }
        return nil
    }

    private mutating func contains(_ wanted: [UInt8], from start: Int) -> Bool {
        var place = max(start, searched)
        while place + wanted.count <= bytes.count {
            if bytes[place..<(place + wanted.count)].elementsEqual(wanted) { return true }
            place += 1
        }
        searched = place
        return false
    }
}
