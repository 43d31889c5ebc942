import ControlProtocol

/// What a device must be for a bundle.
package struct BundleRequirements: Equatable, Sendable {
    /// Names of hardware, of which it is one; empty means any.
    package var hardware: [String]
    /// As `uname -m` has them; empty means any.
    package var architectures: [String]
    /// The lowest version of the runtime; `nil` means any.
    package var runtime: RuntimeVersion?

    /// Why a device is not one, in a person's words; empty when it is.
    /// - Parameter hardware: `nil` where the device was not told what it is.
    package func mismatches(hardware: String?, architecture: String, runtime version: RuntimeVersion) -> [String] {
        var reasons: [String] = []
        if !self.hardware.isEmpty, !self.hardware.contains(where: { $0 == hardware }) {
            reasons.append(
                "it is for the hardware \(self.hardware.joined(separator: ", ")), and this is \(hardware ?? "not said to be any")"
            )
        }
        if !architectures.isEmpty, !architectures.contains(architecture) {
            reasons.append("it is for \(architectures.joined(separator: ", ")), and this is \(architecture)")
        }
        if let runtime, version < runtime {
            reasons.append("it needs Holdfast \(runtime), and this is \(version)")
        }
        return reasons
    }

    /// Throws when this device with this runtime is none.
    package func check(hardware: String?) throws(BundleError) {
        guard let version = RuntimeVersion(HoldfastVersion.current) else { return }
        let reasons = mismatches(hardware: hardware, architecture: MachineArchitecture.name, runtime: version)
        guard reasons.isEmpty else {
            throw BundleError(.wrongDevice, "it is not for this device", problems: reasons)
        }
    }
}

/// A version of Holdfast: three numbers.
package struct RuntimeVersion: Equatable, Comparable, Sendable, CustomStringConvertible {
    private let numbers: [Int]

    /// - Returns: `nil` for anything but three numbers; what stands behind "-" or "+" is left out.
    package init?(_ text: String) {
        let core = text.prefix { $0 != "-" && $0 != "+" }
        let parts = core.split(separator: ".", omittingEmptySubsequences: false)
        let numbers = parts.compactMap { part in
            part.utf8.allSatisfy { $0 >= 0x30 && $0 <= 0x39 } && part.utf8.count <= 9 ? Int(part) : nil
        }
        guard parts.count == 3, numbers.count == 3 else { return nil }
        self.numbers = numbers
    }

    package var description: String { numbers.map(String.init).joined(separator: ".") }

    package static func < (left: RuntimeVersion, right: RuntimeVersion) -> Bool {
        left.numbers.lexicographicallyPrecedes(right.numbers)
    }
}

/// As `uname -m` says it.
enum MachineArchitecture {
    #if arch(x86_64)
        static let name = "x86_64"
    #elseif arch(arm64)
        static let name = "aarch64"
    #elseif arch(arm)
        static let name = "armv7l"
    #else
        static let name = "unknown"
    #endif
}

extension BundleError.Code {
    package static let wrongDevice = BundleError.Code("wrong-device")
}
