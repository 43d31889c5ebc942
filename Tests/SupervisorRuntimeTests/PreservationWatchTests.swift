import MonotonicTime
import SelfPreservation
import Testing

@testable import SupervisorRuntime

@Suite struct PreservationWatchTests {
    private func at(_ seconds: Int) -> MonotonicInstant { MonotonicInstant(nanoseconds: 0) + .seconds(seconds) }

    @Test func `each time that the device becomes critical is told once, whatever the causes`() {
        var watch = PreservationWatch()
        var told: [Bool] = []
        watch.monitorStarts(at: at(0))
        told.append(watch.note(.shed, of: .heat, at: at(1)))
        told.append(watch.note(.critical, of: .heat, at: at(2)))
        told.append(watch.note(.critical, of: .memory, at: at(3)))
        told.append(watch.note(.normal, of: .heat, at: at(4)))
        told.append(watch.note(.critical, of: .heat, at: at(5)))
        told.append(watch.note(.normal, of: .memory, at: at(6)))
        told.append(watch.note(.normal, of: .heat, at: at(7)))
        told.append(watch.note(.critical, of: .memory, at: at(8)))
        #expect(told == [false, true, false, false, false, false, false, true])
    }

    @Test func `a monitor that finds what the one before had found has nothing to tell, but later it has`() {
        var watch = PreservationWatch()
        var told: [Bool] = []
        watch.monitorStarts(at: at(0))
        told.append(watch.note(.critical, of: .heat, at: at(1)))
        watch.monitorStarts(at: at(10))
        told.append(watch.note(.critical, of: .heat, at: at(15)))
        watch.monitorStarts(at: at(20))
        watch.monitorStarts(at: at(21))
        told.append(watch.note(.critical, of: .heat, at: at(30)))
        told.append(watch.note(.normal, of: .heat, at: at(31)))
        told.append(watch.note(.critical, of: .heat, at: at(90)))
        watch.monitorStarts(at: at(100))
        told.append(watch.note(.critical, of: .memory, at: at(101)))
        #expect(told == [true, false, false, false, true, true])
    }
}
