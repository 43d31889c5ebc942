package import Probing

/// Something that is asked again and again to see whether a worker is well.
package struct WorkerProbe: Equatable, Sendable {
    package enum Kind: Equatable, Sendable {
        /// A program and its arguments; it is well when that ends with status 0.
        case exec(command: [String])
        /// It is well when a connection comes about.
        case tcp
        /// It is well when a GET of the path is answered with such a status, and with a body that contains the text.
        case http(path: String, statuses: ClosedRange<Int>, bodyContains: String?)

        /// As the configuration calls it.
        package var name: String {
            switch self {
            case .exec: "exec"
            case .tcp: "tcp"
            case .http: "http"
            }
        }
    }

    /// Where a network probe connects to: on this machine alone.
    package struct Address: Equatable, Sendable {
        /// Of 127.0.0.0/8, or ::1.
        package var host: String
        package var port: Int

        package init(host: String, port: Int) {
            self.host = host
            self.port = port
        }
    }

    /// Unique among the probes of its worker.
    package var name: String
    package var kind: Kind
    /// `nil` for a program.
    package var address: Address?
    package var schedule: ProbeSchedule

    package init(name: String, kind: Kind, address: Address? = nil, schedule: ProbeSchedule) {
        self.name = name
        self.kind = kind
        self.address = address
        self.schedule = schedule
    }

    /// The program that is run; `nil` for a probe over the network.
    package var command: [String]? {
        if case .exec(let command) = kind { command } else { nil }
    }
}
