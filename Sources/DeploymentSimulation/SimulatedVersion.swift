import Deployment
import SeededRandom

/// What becomes of a version when it runs; known to the simulation alone.
struct SimulatedVersion {
    enum Nature: CaseIterable {
        case good, crashesAtOnce, crashesLater, neverReady, slow, flickers, failsSelfTest, takesMachineDown
    }

    var version: BundleVersion
    var nature: Nature
    var terms: VersionTerms

    init(_ number: Int, _ random: inout SeededGenerator) {
        version = BundleVersion(number: "\(number)", digest: "d\(number)")
        let isGood = Bool.random(using: &random)
        nature = isGood ? .good : Nature.allCases.randomElement(using: &random) ?? .good
        terms = VersionTerms(
            probation: .seconds(Int.random(in: 0...90, using: &random)),
            readyWithin: .seconds(Int.random(in: 1...60, using: &random)),
            selfTestWithin: nature == .failsSelfTest || Bool.random(using: &random) ? .seconds(20) : nil,
            isReversible: Int.random(in: 0..<6, using: &random) > 0)
    }

    /// How its workers stand after it was started, by the time from then, in seconds.
    func course(_ random: inout SeededGenerator) -> [(after: Int, DeploymentMachine.Health)] {
        switch nature {
        case .good, .failsSelfTest, .takesMachineDown:
            [(0, .incomplete), (Int.random(in: 0...1, using: &random), .well)]
        case .crashesAtOnce: [(0, .incomplete), (1, .failed("it crashes"))]
        case .crashesLater: [(0, .well), (Int.random(in: 1...120, using: &random), .failed("it crashes"))]
        case .neverReady: [(0, .incomplete)]
        case .slow: [(0, .incomplete), (Int.random(in: 1...80, using: &random), .well)]
        case .flickers:
            (0..<12).map { ($0 * Int.random(in: 1...20, using: &random), $0 % 2 == 0 ? .incomplete : .well) }
        }
    }
}
