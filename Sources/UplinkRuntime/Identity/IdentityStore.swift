import ControlProtocol
import FleetAPI
import LinuxSystem

/// The device's key and its enrolment, on disk. A kill at any step leaves them as they were or as they should be.
final class IdentityStore {
    private let folder: DurableFolder
    private(set) var enrolment: Enrolment
    private(set) var key: SigningKey?
    /// What was wrong with the files, for a person.
    private(set) var trouble: String?

    static let keyFile = "identity.pem"
    static let enrolmentFile = "enrolment.json"

    init(_ folder: DurableFolder) throws(SystemError) {
        self.folder = folder
        enrolment = Enrolment()
        guard let bytes = try folder.read(Self.enrolmentFile) else { return }
        do throws(JSONError) {
            enrolment = try Enrolment(json: try JSONValue.parse(bytes))
        } catch {
            trouble = "\(folder.path)/\(Self.enrolmentFile) is damaged (\(error)); enrol the device again"
        }
    }

    func update(_ change: (inout Enrolment) -> Void) throws(SystemError) {
        var new = enrolment
        change(&new)
        guard new != enrolment else { return }
        try folder.write(Self.enrolmentFile, new.json.serialised())
        enrolment = new
    }

    /// Reads the key. The libraries have to be loaded.
    /// - Parameter makes: makes one where there is none, or none that can be read.
    func loadKey(makes: Bool) throws(SystemError) {
        guard key == nil else { return }
        if let pem = try folder.read(Self.keyFile), let found = SigningKey(pem: pem) {
            key = found
            return
        }
        guard makes, let new = SigningKey() else {
            trouble = "\(folder.path)/\(Self.keyFile) is missing or damaged; enrol the device again"
            return
        }
        // Before anybody is told of it.
        try folder.write(Self.keyFile, new.pem)
        key = new
        trouble = nil
    }
}
