import ArgumentParser
import ControlProtocol
import FleetTransfer
import LinuxSystem
import MonotonicTime
import Trust

struct FleetBundleCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bundle",
        abstract: "Bundles that central has for devices.",
        discussion: """
            EXAMPLES
              holdfast fleet bundle upload hello-1.1.0.tar.zst --root root.json
              holdfast fleet bundle list
              holdfast fleet bundle show hello 1.1.0
              holdfast fleet bundle remove hello 1.0.0
            """,
        subcommands: [Upload.self, List.self, Show.self, Remove.self])

    struct Upload: OperatorCommand {
        static let configuration = CommandConfiguration(
            abstract: "Bring bundles to central, and what they were signed with.",
            discussion: """
                Goes on where an earlier upload was broken off, and tries again by itself while central is away. What central has \
                is not sent again. Devices find a bundle by the signed targets file, which is taken from beside the first archive \
                unless it is named; it goes last, so that it never names what is not there. Central refuses one that is older than \
                its own, or that its root.json does not hold for.
                """)

        @Argument(help: ArgumentHelp("Archives.", valueName: "file"), completion: .file())
        var archives: [String] = []
        @Option(
            name: .long,
            help: ArgumentHelp(
                "The signed targets file. (default: \(BundleFiles.targetsName) beside the first archive, if there is one)",
                valueName: "file"), completion: .file())
        var targets: String?
        @Option(
            name: .long, help: ArgumentHelp("The root that targets are checked by.", valueName: "file"),
            completion: .file())
        var root: String?
        @OptionGroup var fleet: FleetOptions
        @OptionGroup var output: OutputOptions

        private enum Key: String { case bundles, root, targets }

        func validate() throws {
            guard !archives.isEmpty || targets != nil || root != nil else {
                throw ValidationError("Say what to upload: archives, --targets or --root.")
            }
        }

        func perform(on console: Console) throws {
            let client = try fleet.connect(console)
            var (rootAnswer, targetsAnswer) = (JSONValue.null, JSONValue.null)
            if let root {
                rootAnswer = try send(root, as: "root.json", limit: RootMetadata.largestFile, client, console)
            }
            var bundles: [JSONValue] = []
            for archive in archives { bundles.append(try upload(archive, client, console)) }
            if let path = targetsFile {
                targetsAnswer = try send(path, as: "targets.json", limit: TargetsMetadata.largestFile, client, console)
            }
            guard output.json else { return }
            try console.print(.object([Key.bundles: bundles, .root: rootAnswer, .targets: targetsAnswer]))
        }

        private var targetsFile: String? {
            if let targets { return targets }
            guard let first = archives.first else { return nil }
            let beside = BundleFiles.targets(beside: first)
            return (try? SystemCall.status(of: beside)) != nil ? beside : nil
        }

        private func send(
            _ path: String, as name: String, limit: Int, _ client: FleetClient, _ console: Console
        ) throws -> JSONValue {
            let bytes = try BundleFiles.read(path, limit: limit)
            var order = client.order("PUT", "/metadata/\(name)", [:], nil)
            order.fields.append("Content-Type: application/json")
            order.body = bytes
            let answer = try client.json(try client.judge(try client.answer(of: try client.result(of: order))))
            if !output.json {
                let version = answer["version"]?.intValue ?? 0
                let detail = (answer["detail"]?.stringValue ?? "").escapedForTerminal
                try console.print("uploaded \(console.palette(.heading, name)), version \(version): \(detail)")
            }
            return answer
        }

        private func upload(_ archive: String, _ client: FleetClient, _ console: Console) throws -> JSONValue {
            var upload = try BundleUpload(archive, to: client)
            let isShown = console.surroundings.isOutputTerminal && !output.json
            var meter = UploadMeter(name: upload.name, size: upload.size, began: client.now)
            let outcome = try upload.run { there in
                if isShown { try console.write("\r\u{1b}[K" + meter.line(there, at: client.now)) }
            }
            if isShown { try console.write("\r\u{1b}[K") }
            if !output.json {
                try console.print(FleetBundleView(bundle: outcome.bundle).summary(console.palette, outcome.wasThere))
            }
            return outcome.bundle
        }
    }

    struct List: OperatorCommand {
        static let configuration = CommandConfiguration(abstract: "List bundles, the newest first.")

        @Argument(help: ArgumentHelp("Only those of this name.", valueName: "name")) var name: String?
        @Option(name: .long, parsing: .unconditional, help: ArgumentHelp("How many at most.", valueName: "count"))
        var limit = 100
        @OptionGroup var fleet: FleetOptions
        @OptionGroup var output: OutputOptions

        func perform(on console: Console) throws {
            let reply = try fleet.connect(console).get("/bundles", ["name": name, "limit": "\(limit)"])
            let bundles = reply["bundles"]?.arrayValue ?? []
            if output.json { return try console.print(.array(bundles)) }
            guard !bundles.isEmpty else { return try console.print("there are no bundles") }
            try console.print(
                FleetBundleView.table(bundles).lines(console.palette, width: console.surroundings.columns))
        }
    }

    struct Show: OperatorCommand {
        static let configuration = CommandConfiguration(abstract: "Show a bundle, and whether devices will find it.")

        @OptionGroup var bundle: BundleArguments
        @OptionGroup var fleet: FleetOptions
        @OptionGroup var output: OutputOptions

        func perform(on console: Console) throws {
            let found = try fleet.connect(console).get(bundle.path)
            if output.json { return try console.print(found) }
            try console.print(FleetBundleView(bundle: found).lines(console.palette))
        }
    }

    struct Remove: OperatorCommand {
        static let configuration = CommandConfiguration(
            abstract: "Take a bundle away from central. Devices that have it keep it.")

        @OptionGroup var bundle: BundleArguments
        @OptionGroup var fleet: FleetOptions
        @OptionGroup var output: OutputOptions

        private enum Key: String { case removed }

        func perform(on console: Console) throws {
            let client = try fleet.connect(console)
            let found = try client.get(bundle.path)
            try client.send("DELETE", bundle.path)
            if output.json { return try console.print(.object([Key.removed: found])) }
            try console.print("removed \(FleetBundleView(bundle: found).title(console.palette))")
        }
    }
}

/// Which bundle at central.
struct BundleArguments: ParsableArguments {
    @Argument(help: "The bundle's name.") var name: String
    @Argument(help: "Its version, or VERSION@HASH where there are several builds of it.") var version: String

    var path: String { "/bundles/\(FleetClient.pathPart(name))/\(FleetClient.pathPart(version))" }
}

/// How far an upload is.
private struct UploadMeter {
    let name: String
    let size: Int
    let began: MonotonicInstant
    /// Where it began, and when.
    private var start: Int?

    init(name: String, size: Int, began: MonotonicInstant) {
        self.name = name
        self.size = size
        self.began = began
    }

    mutating func line(_ there: Int, at now: MonotonicInstant) -> String {
        let start = start ?? there
        self.start = start
        let seconds = began.duration(to: now) / .seconds(1)
        let speed = seconds > 0.5 ? "  \(ByteText.compact(Int(Double(there - start) / seconds)))/s" : ""
        let share = size > 0 ? there * 100 / size : 100
        return "\(name.escapedForTerminal)  \(share)%  \(ByteText.compact(there)) of \(ByteText.compact(size))\(speed)"
    }
}
