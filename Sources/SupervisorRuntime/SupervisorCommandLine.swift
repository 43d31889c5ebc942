import Configuration

/// The arguments of `holdfastd`. Parsed here, since swift-argument-parser would bring Foundation into the process.
package enum SupervisorCommandLine: Equatable {
    case run(configuration: String)
    case printVersion
    case printHelp
    case invalid(String)

    /// - Parameter arguments: without the program's name.
    package init(_ arguments: [String]) {
        var configuration = Configuration.defaultPath
        var rest = arguments[...]
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
        self = .run(configuration: configuration)
    }

    package static let help = """
        holdfastd: keeps a device's workers alive, in the foreground.

        Usage: holdfastd [--config FILE]

          --config FILE   the configuration (default \(Configuration.defaultPath)); files in conf.d beside it are read too
          --version       print the version
          --help          print this

        Signals: TERM and INT stop everything in reverse order; HUP reloads the configuration.
        Exit status: 0 stopped as asked, 1 could not run, 2 wrong arguments, 5 invalid configuration.
        `holdfast check FILE` examines a configuration without running it.
        """
}
