import LinuxSystem
import Testing

struct LocalTimeTests {
    @Test(arguments: [(0.25, 250), (1_700_000_000.999, 999), (-0.25, 750)])
    func `the fraction is the millisecond within the second`(time: Double, millisecond: Int) {
        #expect(LocalTime(unixTime: time)?.millisecond == millisecond)
    }

    @Test func `an hour later is an hour later`() throws {
        let early = try #require(LocalTime(unixTime: 1_700_000_000))
        let late = try #require(LocalTime(unixTime: 1_700_003_600))
        #expect(early.year == 2023)
        #expect((late.hour - early.hour + 24) % 24 == 1)
        #expect(late.second == early.second)
    }

    @Test(arguments: [Double.nan, .infinity, 1e18, -1e18])
    func `what no calendar shows is nothing`(time: Double) {
        #expect(LocalTime(unixTime: time) == nil)
    }
}
