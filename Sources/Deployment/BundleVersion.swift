/// One version of a bundle, by what it contains: two archives with the same number and other contents are two versions.
package struct BundleVersion: Hashable, Sendable, CustomStringConvertible {
    /// As its manifest has it ("1.4.2"). Not compared: an older number may be deployed on purpose.
    package var number: String
    /// The beginning of its manifest's SHA-256, in hexadecimal digits; by it of all its files.
    package var digest: String

    package init(number: String, digest: String) {
        self.number = number
        self.digest = digest
    }

    package var description: String { "\(number)@\(digest)" }
}
