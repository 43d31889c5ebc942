import Testing

@testable import LinuxSystem

/// What memory.events tells.
@Suite struct OutOfMemoryTests {
    @Test(arguments: [
        ("low 0\nhigh 0\nmax 12\noom 1\noom_kill 3\noom_group_kill 1\n", OutOfMemory.ownLimit as OutOfMemory?),
        ("low 0\nhigh 0\nmax 0\noom 0\noom_kill 1\n", .machine), ("max 40\noom 2\noom_kill 0\n", nil),
        ("oom_kill many\n", nil), ("", nil),
    ])
    func `a kill is told from memory that was only short, and by whose limit it came`(
        events: String, expected: OutOfMemory?
    ) {
        #expect(OutOfMemory(events: events) == expected)
    }
}
