import Testing

@testable import LinuxSystem

@Suite struct ServiceEnvironmentTests {
    private func read(_ variables: [String: String]) -> ServiceEnvironment {
        ServiceEnvironment(reading: { variables[$0] }, pid: 42)
    }

    @Test func `nothing is set outside of a service manager`() {
        #expect(read([:]) == ServiceEnvironment())
    }

    @Test func `systemd's variables are read`() {
        let environment = read([
            "NOTIFY_SOCKET": "/run/systemd/notify", "WATCHDOG_USEC": "10000000", "WATCHDOG_PID": "42",
            "RUNTIME_DIRECTORY": "/run/holdfast:/run/other",
        ])
        #expect(environment.notifySocket == "/run/systemd/notify")
        #expect(environment.watchdogPeriod == .seconds(10))
        #expect(environment.runtimeDirectory == "/run/holdfast")
    }

    @Test(arguments: [
        ["WATCHDOG_USEC": "10000000", "WATCHDOG_PID": "41"], ["WATCHDOG_USEC": "0"], ["WATCHDOG_USEC": "-1"],
        ["WATCHDOG_USEC": "soon"], ["WATCHDOG_USEC": "9223372036854775807"], ["WATCHDOG_PID": "42"],
    ])
    func `a watchdog that is not ours, or none, is not pinged`(_ variables: [String: String]) {
        #expect(read(variables).watchdogPeriod == nil)
    }

    @Test(arguments: ["/run/notify": true, "@abstract": true, "vsock:2:1234": false, "": false])
    func `a socket of this machine is used`(_ path: String, _ isUsed: Bool) {
        #expect(read(["NOTIFY_SOCKET": path]).notifySocket == (isUsed ? path : nil))
    }
}
