import Glibc
import LinuxSystem
import Testing

@Suite(.timeLimit(.minutes(1)))
struct ProcessDefaultsTests {
    @Test func aRaisedLimitIsGivenBackToChildren() async {
        await #expect(processExitsWith: .success) {
            var limit = rlimit(rlim_cur: 300, rlim_max: 5000)
            setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
            let defaults = try ProcessDefaults.current()
            #expect(defaults.descriptorLimit.soft == 300)
            #expect(defaults.oomScoreAdjustment != nil)
            try defaults.raiseDescriptorLimit()
            #expect(try ProcessDefaults.current().descriptorLimit.soft == 5000)

            var request = SpawnRequest(
                executable: "/bin/sh", arguments: ["sh", "-c", "exit $(ulimit -n | cut -c1-3 | tr -d 0)"])
            request.environment = ["PATH=/usr/bin:/bin"]
            defaults.restore(in: &request)
            let child = try ChildProcess.spawn(request)
            try #require(try SystemCall.wait(for: child.exitDescriptor, .readable, timeout: .seconds(10)))
            #expect(child.exit(keepingZombie: false) == .exited(code: 3))
        }
    }
}
