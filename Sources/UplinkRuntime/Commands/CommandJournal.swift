import CChecksum
import ControlProtocol
import Delivery
import FleetAPI
import LinuxSystem

/// The commands that this device has seen, each in a file of its own, with what became of it.
final class CommandJournal {
    struct Page: Equatable {
        var order: CommandOrder
        var entry: CommandLedger.Entry
        var message: String?
        var result: JSONValue?
    }

    private let folder: DurableFolder
    private(set) var pages: [String: Page] = [:]

    private enum Key: String { case order, state, message, result, reported }

    init(_ folder: DurableFolder) {
        self.folder = folder
        for name in folder.names() where name.hasSuffix(".json") {
            guard let bytes = try? folder.read(name), let json = try? JSONValue.parse(bytes, limits: .reply),
                let value: JSONValue = try? json.required(Key.order), let order = try? CommandOrder(json: value),
                let text: String = try? json.required(Key.state),
                let state = CommandLedger.Entry.State(rawValue: text)
            else {
                // Written as a whole, so a damaged one is the disk's fault: its number cannot be known any more.
                folder.remove(name)
                continue
            }
            let entry = CommandLedger.Entry(
                id: order.id, sequence: order.sequence, content: Self.content(order), state: state,
                isReported: (try? json.required(Key.reported)) ?? false)
            pages[order.id] = Page(
                order: order, entry: entry, message: (try? json.optional(Key.message)).flatMap { $0 },
                result: json[Key.result.rawValue].flatMap { $0.isNull ? nil : $0 })
        }
    }

    /// Kind and payload, by which the same command is known.
    static func content(_ order: CommandOrder) -> String { "\(order.kind) \(JSONValue.object(order.payload).text)" }

    func keep(_ page: Page, isSynced: Bool) throws(SystemError) {
        let json: JSONValue = .object([
            Key.order: page.order, .state: page.entry.state.rawValue, .message: page.message, .result: page.result,
            .reported: page.entry.isReported,
        ])
        try folder.write(name(of: page.order), json.serialised(), isSynced: isSynced)
        pages[page.order.id] = page
    }

    func forget(_ id: String) {
        guard let page = pages.removeValue(forKey: id) else { return }
        folder.remove(name(of: page.order))
    }

    /// An id is central's, and no name of a file.
    private func name(of order: CommandOrder) -> String {
        let id = Array(order.id.utf8)
        let checksum = id.withUnsafeBytes { hf_crc32c(0, $0.baseAddress, $0.count) }
        let sequence = String(order.sequence, radix: 16)
        return String(repeating: "0", count: 16 - sequence.count) + sequence + "-\(String(checksum, radix: 16)).json"
    }
}
