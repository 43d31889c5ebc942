import MonotonicTime
import Testing

@testable import OutputRuntime

@Suite struct LineFormatTests {
    @Test(arguments: [
        ("<3>disk is gone", 3, "disk is gone"), ("<0>", 0, ""), ("<7>x", 7, "x"), ("<8>x", 6, "<8>x"),
        ("<3", 6, "<3"), ("", 6, ""), ("3>x", 6, "3>x"), ("<33>x", 6, "<33>x"), ("plain", 6, "plain"),
    ])
    func readsTheSeverityPrefix(_ line: String, _ severity: UInt8, _ text: String) {
        Array(line.utf8).withUnsafeBytes { bytes in
            let split = SeverityPrefix.split(bytes)
            #expect(split.severity == severity)
            #expect(String(decoding: split.text, as: UTF8.self) == text)
        }
    }

    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00.000000Z"), (1, "1970-01-01T00:00:00.000001Z"),
            (-1, "1969-12-31T23:59:59.999999Z"), (951_782_400_000_000, "2000-02-29T00:00:00.000000Z"),
            (951_868_799_123_456, "2000-02-29T23:59:59.123456Z"),
            (4_107_542_400_000_000, "2100-03-01T00:00:00.000000Z"),
            (1_769_903_999_000_001, "2026-01-31T23:59:59.000001Z"), (.max, "9999-12-31T23:59:59.999999Z"),
            (.min, "0000-01-01T00:00:00.000000Z"),
        ] as [(Int64, String)])
    func writesTimesAsRFC3339(_ microseconds: Int64, _ expected: String) {
        var bytes: [UInt8] = []
        Timestamp.append(microseconds, to: &bytes)
        #expect(String(decoding: bytes, as: UTF8.self) == expected)
        #expect(bytes.count == Timestamp.length)
    }

    @Test func makesTextThatJSONCanHold() {
        #expect(LineText.text(Array("grün".utf8), .lineBreak) == "grün")
        #expect(LineText.text([0x61, 0xff, 0x62], .flushed) == "a\u{FFFD}b")
        #expect(LineText.text([0x61, 0, 0x62], .lineBreak) == "a\u{FFFD}b")
        #expect(LineText.text(Array("part".utf8), .longest) == "part \\")
    }

    @Test func countsLossesByCause() {
        var account = LossAccount()
        let answer1 = account.take()
        #expect(answer1 == nil)
        account.add(.rateLimit, LossCount())
        #expect(account.isEmpty)
        account.add(.rateLimit, LossCount(lines: 2, bytes: 10))
        account.add(.rateLimit, LossCount(lines: 1, bytes: 5))
        let answer2 = account.take()
        #expect(answer2?.count == LossCount(lines: 3, bytes: 15))
        #expect(answer2?.because == "over the rate limit")
        let answer3 = account.take()
        #expect(answer3 == nil)
        account.add(.file, LossCount(lines: 1, bytes: 1), reason: "write: No space left on device")
        account.add(.rateLimit, LossCount(lines: 4, bytes: 4))
        let report = account.take()
        #expect(report?.count == LossCount(lines: 5, bytes: 5))
        #expect(report?.shares.map(\.count.lines) == [4, 1])
        #expect(
            report?.because
                == "4 over the rate limit, 1 the log file could not be written (write: No space left on device)")
    }

    @Test func waitsForAFullJournalOneSecondInAll() {
        var patience = JournalPatience()
        var waited: Duration = .zero
        while let wait = patience.waitAfterRefusal(at: .zero) { waited += wait }
        #expect(waited == JournalPatience.limit)
        #expect(!patience.mayTry(at: .zero.advanced(by: .milliseconds(999))))
        let later = MonotonicInstant.zero.advanced(by: JournalPatience.pause)
        #expect(patience.mayTry(at: later))
        let answer4 = patience.waitAfterRefusal(at: later)
        #expect(answer4 == nil, "a journal that still hangs costs no further second")
        patience.succeed()
        let answer5 = patience.waitAfterRefusal(at: later)
        #expect(answer5 != nil)
    }
}
