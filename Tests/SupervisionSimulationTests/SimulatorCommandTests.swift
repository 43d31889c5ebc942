import SupervisionSimulation
import Testing

@Suite struct SimulatorCommandTests {
    @Test func aSweepTakesItsRangeAndThreads() throws {
        let command = try SimulatorCommand(arguments: ["--seeds", "20000", "--from", "5", "--jobs", "2"])
        #expect(command.mode == .sweep)
        #expect(command.seeds == 20_000)
        #expect(command.from == 5)
        #expect(command.jobs == 2)
    }

    @Test func aSingleSeedIsTraced() throws {
        #expect(try SimulatorCommand(arguments: ["--seed", "42"]).mode == .trace(seed: 42))
    }

    @Test(
        "wrong arguments are refused with a word on what is wrong",
        arguments: [
            (["--seeds"], "a number is missing"), (["--seeds", "many"], "many is not a whole number"),
            (["--jobs", "0"], "1 to 256"), (["--sed", "1"], "no such option"),
        ])
    func wrongArgumentsAreRefused(_ arguments: [String], _ expected: String) {
        #expect { try SimulatorCommand(arguments: arguments) } throws: { error in
            (error as? SimulatorCommand.UsageError)?.message.contains(expected) ?? false
        }
    }
}
