import ControlProtocol
import DeviceConfiguration

/// The part of the supervisor tree that a bundle brings: a supervisor of the bundle's name, and everything else below it. Its
/// settings are the configuration's own, and so is the check of them.
package struct BundleTree {
    /// Stands in settings for the folder of the bundle's files.
    package static let placeholder = BundleFolder.placeholder
    /// A folder for the check, in which nothing has to be.
    private static let anyFolder = "/bundle"

    private let name: String
    private let supervisors: [JSONObject]
    private let workers: [JSONObject]

    package init(_ manifest: BundleManifest) {
        (name, supervisors, workers) = (manifest.name, manifest.supervisors, manifest.workers)
    }

    /// The settings as a file of the configuration.
    /// - Parameter folder: where the bundle's files are.
    package func configuration(folder: String) -> String {
        guard !workers.isEmpty || !supervisors.isEmpty else { return "" }
        var text = ""
        let ofBundle = supervisors.first { $0["name"]?.stringValue == name }
        write("supervisor", ofBundle ?? ["name": .string(name)], parent: nil, folder, to: &text)
        for supervisor in supervisors where supervisor["name"]?.stringValue != name {
            write("supervisor", supervisor, parent: "parent", folder, to: &text)
        }
        for worker in workers { write("worker", worker, parent: "supervisor", folder, to: &text) }
        return text
    }

    private func write(
        _ table: String, _ settings: JSONObject, parent: String?, _ folder: String, to text: inout String
    ) {
        var settings = settings
        if let parent, settings[parent] == nil { settings[parent] = .string(name) }
        text += "[[\(table)]]\n"
        for member in settings.members {
            text += "\(TOMLText.key(member.key)) = \(TOMLText.value(value(member.value, folder)))\n"
        }
        text += "\n"
    }

    private func value(_ json: JSONValue, _ folder: String) -> TOMLValue {
        switch json {
        // TOML has none: the check has said so.
        case .null: .string("")
        case .bool(let truth): .boolean(truth)
        case .int(let number): .integer(number)
        case .double(let number): .float(number)
        case .string(let text): .string(text.replacing(Self.placeholder, with: folder))
        case .array(let elements): .array(elements.map { TOMLNode(value: value($0, folder)) })
        case .object(let object): .table(object.members.map { (key: $0.key, value: value($0.value, folder)) })
        }
    }

    func check(_ reader: ManifestReader) {
        let names = Set([name] + supervisors.compactMap { $0["name"]?.stringValue })
        let lists = [("supervisors", "parent", supervisors), ("workers", "supervisor", workers)]
        for (list, key, children) in lists {
            for (index, child) in children.enumerated() {
                if let parent = child[key]?.stringValue, !names.contains(parent) {
                    reader.report("\(list)[\(index)].\(key)", "is no supervisor of this bundle")
                }
                if list == "supervisors", child["name"]?.stringValue == name, child[key] != nil {
                    reader.report("\(list)[\(index)].\(key)", "the bundle's own supervisor is a child of the root")
                }
                if hasNull(.object(child)) { reader.report("\(list)[\(index)]", "has a null in it") }
            }
        }
        guard reader.problems.isEmpty, !workers.isEmpty || !supervisors.isEmpty else { return }
        let source = ConfigurationSource(
            file: BundleManifest.fileName, bytes: Array(configuration(folder: Self.anyFolder).utf8))
        for problem in Configuration.read([source], hostName: name).problems {
            reader.report(problem.key ?? "workers", problem.message, allowed: problem.allowed)
        }
    }

    private func hasNull(_ json: JSONValue) -> Bool {
        switch json {
        case .null: true
        case .array(let elements): elements.contains { hasNull($0) }
        case .object(let object): object.members.contains { hasNull($0.value) }
        case .bool, .int, .double, .string: false
        }
    }
}
