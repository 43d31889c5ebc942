import ArgumentParser
import BundleFormat
import LinuxSystem
import Trust

/// What a bundle is judged by.
struct TrustOptions: ParsableArguments {
    @Option(
        name: .long, help: ArgumentHelp("The trusted root.", valueName: "file"), completion: .file())
    var root = BundleFiles.defaultRoot

    @Option(
        name: .long,
        help: ArgumentHelp(
            "The signed targets. (default: \(BundleFiles.targetsName) beside the archive)", valueName: "file"),
        completion: .file())
    var targets: String?

    func admission(for archive: String) throws(CommandError) -> BundleAdmission {
        let targetsPath = targets ?? BundleFiles.targets(beside: archive)
        let rootBytes = try BundleFiles.read(root, limit: RootMetadata.largestFile)
        let targetsBytes = try BundleFiles.read(targetsPath, limit: TargetsMetadata.largestFile)
        let now = ExpiryTime(seconds: WallClock.earliest())
        return try BundleFiles.about("\(root), \(targetsPath)") { () throws(BundleError) in
            try BundleAdmission(root: rootBytes, targets: targetsBytes, at: now)
        }
    }
}

/// Which store a command is about.
struct StoreOptions: ParsableArguments {
    @Option(name: .long, help: ArgumentHelp("The store.", valueName: "folder"), completion: .directory)
    var store = BundleFiles.defaultStore
}
