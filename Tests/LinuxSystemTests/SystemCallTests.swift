import LinuxSystem
import Testing

@Suite(.timeLimit(.minutes(1)))
struct SystemCallTests {
    @Test func aFailureNamesTheCallTheSubjectAndTheReason() {
        let error = #expect(throws: SystemError.self) { try SystemCall.open("/no/such/file", .readOnly).release() }
        #expect(error?.description == "openat /no/such/file: No such file or directory")
        #expect(error?.isNotFound == true)
    }

    @Test func anInjectedFaultStrikesAsOftenAsAskedAndOnlyItsCall() throws {
        try FaultInjection.during("openat", errno: 24, .times(2)) {
            for _ in 0..<2 {
                #expect(throws: SystemError(call: "openat", errno: 24, subject: "/dev/null")) {
                    try SystemCall.open("/dev/null", .readOnly).release()
                }
            }
            _ = try SystemCall.open("/dev/null", .readOnly)
            _ = try SystemCall.makePipe()
        }
        FaultInjection.during("openat", errno: 24) {
            for _ in 0..<5 {
                #expect(throws: SystemError.self) { try SystemCall.open("/dev/null", .readOnly).release() }
            }
        }
        _ = try SystemCall.open("/dev/null", .readOnly)
    }

    @Test func anEmptyPipeWouldBlock() throws {
        let pipe = try SystemCall.makePipe(nonBlocking: true)
        var buffer = [UInt8](repeating: 0, count: 8)
        let descriptor = pipe.readEnd.rawValue
        let result = try buffer.withUnsafeMutableBytes { buffer throws(SystemError) in
            try SystemCall.read(descriptor, into: buffer)
        }
        #expect(result.value == nil)
    }

    @Test func aDescriptorIsCloseOnExecAndClosedWithItsOwner() throws {
        let number: Int32
        do {
            let file = try SystemCall.open("/dev/null", .readOnly)
            let copy = try file.duplicate()
            number = copy.rawValue
            #expect(SystemCall.isCloseOnExec(file.rawValue))
            #expect(SystemCall.isCloseOnExec(number))
        }
    }
}
