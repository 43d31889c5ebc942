import ControlProtocol
import FleetAPI
import LinuxSystem

/// Where the login to central is kept: a file that only its owner may read, or a variable.
struct FleetLogins {
    static let variable = "HOLDFAST_FLEET_LOGIN"

    private let environment: [String: String]

    init(environment: [String: String]) {
        self.environment = environment
    }

    private var folder: String? {
        if let folder = environment["XDG_CONFIG_HOME"], folder.hasPrefix("/") { return "\(folder)/holdfast" }
        guard let home = environment["HOME"], home.hasPrefix("/") else { return nil }
        return "\(home)/.config/holdfast"
    }

    func path() throws(CommandError) -> String {
        guard let folder else {
            throw CommandError(
                code: .failed, message: "there is no home folder to keep the login in: set HOME, or \(Self.variable)")
        }
        return "\(folder)/fleet.json"
    }

    /// The login that holds: of the variable, else of the file.
    func current() throws(CommandError) -> OperatorLogin {
        if let text = environment[Self.variable], !text.isEmpty {
            do throws(FleetError) { return try OperatorLogin(text) } catch {
                throw CommandError(code: .usage, message: "\(Self.variable): \(error.message)")
            }
        }
        let path = try path()
        let bytes: [UInt8]
        do throws(SystemError) {
            bytes = try SystemCall.readFile(path, limit: 64 * 1024)
        } catch {
            guard error.isNotFound else {
                throw CommandError(code: .failed, message: "\(path) cannot be read: \(error.message)")
            }
            throw CommandError(
                code: .notLoggedIn,
                message:
                    "no central is known: run 'holdfast fleet login LOGIN' (holdfast-central token create --operator NAME)"
            )
        }
        guard let login = (try? JSONValue.parse(bytes)).flatMap(OperatorLogin.init(json:)) else {
            throw CommandError(code: .failed, message: "\(path) is damaged: log in again (holdfast fleet login)")
        }
        return login
    }

    /// - Returns: the file.
    func keep(_ login: OperatorLogin) throws(CommandError) -> String {
        let path = try path()
        do throws(SystemError) {
            if let folder { try Self.makeFolders(folder) }
            try? SystemCall.removeFile(path)
            let file = try SystemCall.open(path, [.writeOnly, .create, .exclusive, .noFollow], permissions: 0o600)
            _ = try SystemCall.write(file.rawValue, login.json.serialised() + [UInt8(ascii: "\n")])
        } catch {
            throw CommandError(code: .failed, message: "\(path) cannot be written: \(error.message)")
        }
        return path
    }

    /// - Returns: whether there was one.
    func forget() throws(CommandError) -> Bool {
        let path = try path()
        do throws(SystemError) {
            try SystemCall.removeFile(path)
            return true
        } catch {
            guard error.isNotFound else {
                throw CommandError(code: .failed, message: "\(path) cannot be removed: \(error.message)")
            }
            return false
        }
    }

    private static func makeFolders(_ path: String) throws(SystemError) {
        do throws(SystemError) {
            try SystemCall.makeDirectory(path, permissions: 0o700)
        } catch {
            if error.alreadyExists { return }
            guard error.isNotFound, let slash = path.lastIndex(of: "/"), slash != path.startIndex else { throw error }
            try makeFolders(String(path[..<slash]))
            try SystemCall.makeDirectory(path, permissions: 0o700)
        }
    }
}
