import FleetAPI
import FleetTransfer

/// What central has answered to a download, as far as its beginning tells.
struct DownloadAnswer: Equatable {
    /// `Content-Range` of RFC 9110, section 14.4.
    struct Range: Equatable {
        var first: Int
        var last: Int
        var total: Int

        /// `nil` when it is not of the form `bytes 0-9/10`.
        init?(_ text: String) {
            let parts = text.split(separator: " ")
            guard parts.count == 2, parts[0].lowercased() == "bytes" else { return nil }
            let numbers = parts[1].split(omittingEmptySubsequences: false) { $0 == "-" || $0 == "/" }
            guard numbers.count == 3, let first = Self.number(numbers[0]), let last = Self.number(numbers[1]),
                let total = Self.number(numbers[2]), first <= last, last < total
            else { return nil }
            (self.first, self.last, self.total) = (first, last, total)
        }

        fileprivate static func number(_ text: Substring) -> Int? {
            text.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int(text) : nil
        }
    }

    var status: Int
    /// Of the content, as the answer says.
    var length: Int?
    var range: Range?
    /// What has been done to the content; `nil` when nothing has.
    var coding: String?
    /// How long central wants not to be asked.
    var retryAfter: Duration?
    /// The same request, signed anew, may be taken.
    var isToBeSignedAgain = false
    /// What it means, for a person.
    var words: String

    /// - Parameter now: in seconds since 1970, by central's clock.
    init(_ answer: HTTPAnswer, now: Int64, isToBeSignedAgain: Bool) {
        status = answer.status
        length = answer.fields["content-length"].flatMap { Range.number($0[...]) }
        range = answer.fields["content-range"].flatMap { Range($0) }
        coding = answer.fields["content-encoding"].flatMap { $0.lowercased() == "identity" ? nil : $0 }
        retryAfter = answer.retryAfter(now: now)
        self.isToBeSignedAgain = isToBeSignedAgain
        words = answer.problem.map { $0.detail.isEmpty ? $0.title : $0.detail } ?? "status \(answer.status)"
    }
}
