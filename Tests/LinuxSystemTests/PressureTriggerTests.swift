import Testing

@testable import LinuxSystem

@Suite(.timeLimit(.minutes(1))) struct PressureTriggerTests {
    private static let countsPressure = (try? SystemCall.open("/proc/pressure/memory", [.readWrite])) != nil

    @Test(
        .enabled(if: countsPressure, "this kernel does not count pressure, or not for us"),
        arguments: ["memory", "cpu", "io"], [0.0, 0.5, 40, 100, 1000])
    func `a trigger of any share is taken by the kernel, and waits for its event`(resource: String, share: Double)
        throws
    {
        let trigger = try PressureTrigger.open(resource, share: share)
        #expect(trigger.rawValue >= 0)
        // One that was refused would show an error at once.
        let loop = try EventLoop()
        var readiness: EventLoop.Readiness = []
        let registration = try loop.register(trigger.rawValue, .priority) { readiness.formUnion($0) }
        try loop.runOnce(timeout: .milliseconds(1))
        #expect(!readiness.contains(.error))
        loop.unregister(registration)
    }

    @Test func `what is not there is an error that names it`() {
        #expect(throws: SystemError.self) { _ = try PressureTrigger.open("nothing", share: 1) }
    }
}
