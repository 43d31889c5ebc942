import ArgumentParser

struct SpoolCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "spool",
        abstract: "Look into what waits on disk for central.",
        discussion: """
            A device has two spools, events and readings, below the state folder. These commands read the files themselves \
            and need no runtime; only repair changes something, and needs holdfast-uplink to be stopped.

            EXAMPLES
              holdfast spool stat
              holdfast spool check /var/lib/holdfast/spool/readings
              holdfast spool dump --after 1200 --limit 20 /var/lib/holdfast/spool/events
            """,
        subcommands: [SpoolStatCommand.self, SpoolCheckCommand.self, SpoolRepairCommand.self, SpoolDumpCommand.self])
}
