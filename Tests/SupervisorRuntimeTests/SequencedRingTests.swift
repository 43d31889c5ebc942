import Testing

@testable import SupervisorRuntime

@Suite struct SequencedRingTests {
    @Test func `it keeps the newest elements under their numbers`() {
        var ring = SequencedRing<String>(capacity: 3)
        #expect(ring.first == ring.next)
        for _ in 0..<5 { ring.append { "\($0)" } }
        #expect(ring.first == 3)
        #expect(ring.next == 6)
        #expect((1...6).map { ring[$0] } == [nil, nil, "3", "4", "5", nil])
        ring.update(4) { $0 = "four" }
        ring.update(1) { $0 = "one" }
        #expect((3...5).map { ring[$0] } == ["3", "four", "5"])
    }
}
