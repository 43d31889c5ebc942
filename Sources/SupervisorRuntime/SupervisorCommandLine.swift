import DeviceConfiguration

/// The arguments of `holdfastd`. Parsed here, since swift-argument-parser would bring Foundation into the process.
package enum SupervisorCommandLine: Equatable {
    case run(configuration: String)
    /// Says by its exit status whether this binary could take over from a runtime with this version of the state.
    case check(configuration: String, stateVersion: Int?)
    case printVersion
    case printHelp
    case invalid(String)

    /// - Parameter arguments: the program's name first. None at all where /proc is not mounted, for it is there that they
    ///   are read: whatever was asked for, it was not to run with the defaults.
    package init(_ arguments: [String]) {
        guard !arguments.isEmpty else {
            self = .invalid("/proc has to be mounted: without it the arguments cannot be read")
            return
        }
        var configuration = Configuration.defaultPath
        var checks = false
        var stateVersion: Int?
        var rest = arguments.dropFirst()
        while let argument = rest.popFirst() {
            switch argument {
            case "--config", "-c":
                guard let path = rest.popFirst(), !path.isEmpty else {
                    self = .invalid("--config needs the path of a file")
                    return
                }
                configuration = path
            case _ where argument.hasPrefix("--config="):
                configuration = String(argument.dropFirst("--config=".count))
            case "--check":
                checks = true
            case _ where argument.hasPrefix("--check="):
                guard let version = Int(argument.dropFirst("--check=".count)) else {
                    self = .invalid("--check=VERSION needs the number of a version of the state")
                    return
                }
                checks = true
                stateVersion = version
            case "--version":
                self = .printVersion
                return
            case "--help", "-h":
                self = .printHelp
                return
            default:
                self = .invalid("unknown argument \(argument); see holdfastd --help")
                return
            }
        }
        self =
            checks
            ? .check(configuration: configuration, stateVersion: stateVersion) : .run(configuration: configuration)
    }

    /// The first word of a binary that says yes to --check: others end with status 0 as well.
    static let checkAnswer = "holdfastd"
    package static let configurationInvalidStatus: Int32 = 5
    package static let stateUnreadableStatus: Int32 = 6

    /// What a binary is executed with to do this.
    var arguments: [String] {
        switch self {
        case .run(let configuration): ["holdfastd", "--config", configuration]
        case .check(let configuration, let version):
            ["holdfastd", "--config", configuration, version.map { "--check=\($0)" } ?? "--check"]
        case .printVersion: ["holdfastd", "--version"]
        case .printHelp, .invalid: ["holdfastd", "--help"]
        }
    }

    package static let help = """
        holdfastd: keeps a device's workers alive, in the foreground.

        Usage: holdfastd [--config FILE] [--check]

          --config FILE   the configuration (default \(Configuration.defaultPath)); files in conf.d beside it are read too
          --check         only say whether the configuration is valid and the binary runs here; --check=VERSION also
                          whether it could take over from a runtime whose state has that version
          --version       print the version
          --help          print this

        Signals: TERM and INT stop everything in reverse order; HUP reloads the configuration; USR2 executes the binary
        anew, with the same workers.
        Exit status: 0 stopped as asked, 1 could not run, 2 wrong arguments, 5 invalid configuration, 6 the state of
        another version (--check).
        `holdfast check FILE` examines a configuration without running it.
        """
}
