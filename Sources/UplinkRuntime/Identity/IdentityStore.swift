import ControlProtocol
import FleetAPI
import LinuxSystem

/// The device's key and its enrolment, on disk. A kill at any step leaves them as they were or as they should be.
final class IdentityStore {
    private let folder: DurableFolder
    private(set) var enrolment: Enrolment
    private(set) var key: SigningKey?
    /// Takes the key's place, or has done so at central without this device knowing.
    private var nextKey: SigningKey?
    /// The two have changed places, to see which of them central knows.
    private var isTryingNext = false
    /// What was wrong with the files, for a person.
    private(set) var trouble: String?

    static let keyFile = "identity.pem"
    static let nextKeyFile = "identity.next.pem"
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
        nextKey = try folder.read(Self.nextKeyFile).flatMap { SigningKey(pem: $0) }
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

    // MARK: Another key

    /// The key that is to take this one's place: on disk before central hears of it, so that whatever is lost on the way,
    /// the device has the one that central knows. One that central may have already is not replaced.
    /// - Returns: `nil` when there is none, or it is not known yet which of two central has.
    func prepareNextKey() throws(SystemError) -> SigningKey? {
        guard !isTryingNext else { return nil }
        if let nextKey { return nextKey }
        guard let new = SigningKey() else { return nil }
        try folder.write(Self.nextKeyFile, new.pem)
        nextKey = new
        return new
    }

    /// Whether it is open which of two keys central knows.
    var hasOtherKey: Bool { nextKey != nil }

    /// Central does not know the key that a request was signed with: where there is another, that one is in use from now on.
    func refused(_ signer: SigningKey) {
        guard signer === key, let other = nextKey else { return }
        (key, nextKey, isTryingNext) = (other, key, !isTryingNext)
    }

    /// Central has taken a request that was signed with this key.
    func confirm(_ signer: SigningKey) throws(SystemError) {
        if signer === key, isTryingNext { try promoteNextKey() }
    }

    /// Central has taken the next key.
    func takeNextKey() throws(SystemError) {
        guard let next = nextKey else { return }
        if !isTryingNext { key = next }
        try promoteNextKey()
    }

    private func promoteNextKey() throws(SystemError) {
        try folder.rename(Self.nextKeyFile, to: Self.keyFile)
        (nextKey, isTryingNext) = (nil, false)
    }
}
