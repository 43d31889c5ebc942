import LinuxSystem
import Testing

@Suite struct ProcessArgumentsTests {
    @Test func areThoseThatTheProcessWasStartedWith() {
        #expect(ProcessArguments.current() == CommandLine.arguments)
    }
}
