import ArgumentParser

/// Runs the program with the arguments of the process, and ends it.
package enum CentralProgram {
    package static func main() async { await HoldfastCentral.main() }
}
