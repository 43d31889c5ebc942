/// What is known of the versions of a bundle, kept in the same file as the deployment: what belongs together is written at
/// once.
package struct VersionHistory: Hashable, Sendable {
    package struct Good: Hashable, Sendable {
        package var version: BundleVersion
        package var terms: VersionTerms

        package init(version: BundleVersion, terms: VersionTerms) {
            self.version = version
            self.terms = terms
        }
    }

    /// Those that have proved themselves, the latest first.
    package private(set) var good: [Good]
    /// Those that are not taken again by themselves, the latest first.
    package private(set) var barred: [BundleVersion]

    /// Has become current, and has not proved itself yet.
    package internal(set) var candidate: Good?

    /// How earlier requests came out, the latest last: who asks again gets the same answer.
    package private(set) var ends: [DeploymentEnd]

    /// Older ones are forgotten.
    package static let mostEnds = 16
    package static let mostGood = 8
    package static let mostBarred = 32

    package init(good: [Good] = [], barred: [BundleVersion] = [], candidate: Good? = nil, ends: [DeploymentEnd] = []) {
        self.ends = ends
        self.good = good
        self.barred = barred
        self.candidate = candidate
    }

    mutating func noteGood(_ version: BundleVersion, _ terms: VersionTerms) {
        good.removeAll { $0.version == version }
        good.insert(Good(version: version, terms: terms), at: 0)
        good.removeLast(max(0, good.count - Self.mostGood))
        barred.removeAll { $0 == version }
        candidate = nil
    }

    mutating func bar(_ version: BundleVersion) {
        good.removeAll { $0.version == version }
        barred.removeAll { $0 == version }
        barred.insert(version, at: 0)
        barred.removeLast(max(0, barred.count - Self.mostBarred))
    }

    mutating func noteEnd(_ end: DeploymentEnd) {
        ends.removeAll { $0.id == end.id }
        ends.append(end)
        ends.removeFirst(max(0, ends.count - Self.mostEnds))
    }

    func terms(of version: BundleVersion) -> VersionTerms? { good.first { $0.version == version }?.terms }
}
