import CentralCLI

await CentralProgram.main()
