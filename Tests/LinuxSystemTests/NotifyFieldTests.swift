import LinuxSystem
import Testing

struct NotifyFieldTests {
    @Test(arguments: [
        ("READY=1", [NotifyField.ready]),
        ("READY=0", []),
        ("READY=1\n", [.ready]),
        ("READY=1\0", [.ready]),
        ("READY=1\nSTATUS=Listening on port 6379", [.ready, .status("Listening on port 6379")]),
        ("STATUS=a=b", [.status("a=b")]),
        ("STATUS=", [.status("")]),
        ("STATUS=red \u{1B}[31mtext\u{7F}", [.status("red  [31mtext ")]),
        ("WATCHDOG=1", [.watchdogPing]),
        ("WATCHDOG=trigger", [.watchdogTrigger]),
        ("WATCHDOG=2", []),
        ("HOLDFAST_CHECKPOINT=frame", [.checkpoint("frame")]),
        ("HOLDFAST_CHECKPOINT=\nHOLDFAST_CHECKPOINT=\(String(repeating: "x", count: 65))", []),
        ("WATCHDOG_USEC=20000000", [.watchdogPeriod(.seconds(20))]),
        ("WATCHDOG_USEC=18446744073709551615", [.watchdogPeriod(.microseconds(Int64.max / 1000))]),
        ("WATCHDOG_USEC=18446744073709551616", []),
        ("WATCHDOG_USEC=-1\nWATCHDOG_USEC=+1\nWATCHDOG_USEC= 1\nWATCHDOG_USEC=", []),
        ("EXTEND_TIMEOUT_USEC=1500", [.extendTimeout(.microseconds(1500))]),
        ("STOPPING=1", [.stopping]),
        ("RELOADING=1\nMONOTONIC_USEC=123456", [.reloading]),
        ("MAINPID=4711", [.mainPID(4711)]),
        ("MAINPID=0\nMAINPID=1\nMAINPID=-5\nMAINPID=99999999999", []),
        ("BARRIER=1", [.barrier]),
        ("X_OWN=1\n=\n==\n\n\nnonsense\nready=1", []),
        ("READY=1\0STATUS=x", []),
        ("", []),
    ])
    func readsWhatConcernsSupervision(message: String, expected: [NotifyField]) {
        #expect(NotifyField.parse(Array(message.utf8)) == expected)
    }

    @Test func aLongStatusIsCutAtItsLimitWhateverItsBytes() {
        for byte in [UInt8(ascii: "x"), 0xFF, 0xC3] {
            let message = Array("STATUS=".utf8) + [UInt8](repeating: byte, count: 4000)
            guard case .status(let text) = NotifyField.parse(message).first else {
                Issue.record("no status")
                return
            }
            #expect(text.utf8.count <= NotifyField.maximumStatusBytes)
            #expect(!text.isEmpty)
        }
    }

    @Test func theNumberOfAssignmentsIsLimited() {
        let message = Array(String(repeating: "WATCHDOG=1\n", count: 1000).utf8)
        #expect(NotifyField.parse(message).count == NotifyField.maximumCount)
    }

    @Test(arguments: 0..<8 as Range<UInt64>) func noBytesTrapTheParser(seed: UInt64) {
        var generator = SplitMix(state: seed)
        let pieces = [
            "READY=1", "WATCHDOG=", "WATCHDOG_USEC=", "MAINPID=", "STATUS=", "=", "\n", "\0", "9", "\u{1F600}",
        ]
        for _ in 0..<3000 {
            var message: [UInt8] = []
            for _ in 0..<Int.random(in: 0...40, using: &generator) {
                if Bool.random(using: &generator) {
                    message += Array(pieces.randomElement(using: &generator)?.utf8 ?? "".utf8)
                } else {
                    message.append(UInt8.random(in: 0...255, using: &generator))
                }
            }
            for field in NotifyField.parse(message) {
                if case .mainPID(let pid) = field { #expect(pid > 1) }
            }
        }
    }
}

/// A small generator whose runs can be repeated.
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
