import CPluginABI

/// What the host does for the plugin while a command is executed (holdfast_plugin.h describes each function). Any thread may use
/// it.
///
/// SAFETY: the table does not change, and its functions may be called by any thread (docs/plugin-abi.md, T1).
public struct Host: @unchecked Sendable {
    public enum Level: Int32, Sendable {
        case debug, info, warning, error
    }

    let table: UnsafePointer<hf_host>

    /// Writes a line to the log, with the command's id.
    public func log(_ level: Level, _ text: String) {
        table.pointee.log(table, level.rawValue, text)
    }

    /// Says how far it has come, in percent, or `nil` when that cannot be said.
    public func progress(_ percent: Int?, _ text: String = "") {
        table.pointee.progress(table, Int32(clamping: percent ?? -1), text)
    }

    /// Whether the plugin is to stop. One that goes on is killed a few seconds later.
    public var isCancelled: Bool { table.pointee.cancelled(table) != 0 }

    /// Throws when the plugin is to stop.
    public func checkCancellation() throws {
        guard isCancelled else { return }
        throw HostError(code: Int32(HF_ERROR_CANCELLED), description: "the command was cancelled, or its time is over")
    }

    /// What is left for the command.
    public var timeLeft: Duration { .nanoseconds(table.pointee.deadline(table)) }

    /// The path of a directory that only this plugin uses, and that is there for its next command too.
    public var stateDirectory: String? { table.pointee.state_directory(table).map { String(cString: $0) } }

    /// Fetches an artifact (grant `artifact`).
    /// - Parameter sha256: 64 lower-case hexadecimal digits.
    /// - Returns: a read-only file descriptor of the verified file, to be closed by the caller.
    public func fetchArtifact(_ name: String, sha256: String) throws -> Int32 {
        var descriptor: Int32 = -1
        try check(table.pointee.fetch_artifact(table, name, sha256, &descriptor))
        return descriptor
    }

    /// Makes a staged version of a bundle the current one (grant `bundle`).
    public func activateBundle(_ name: String, version: String) throws -> JSON {
        try answer { table.pointee.activate_bundle(table, name, version, $0, $1, $2) }
    }

    /// Makes a kept version the current one again, the last good one when `version` is `nil` (grant `bundle`).
    public func restoreBundle(_ name: String, version: String? = nil) throws -> JSON {
        try answer { table.pointee.restore_bundle(table, name, version, $0, $1, $2) }
    }

    /// Calls a method of io.holdfast.Runtime (grants `treeRead`, `treeControl`).
    public func askTree(_ method: String, _ parameters: JSON = [:]) throws -> JSON {
        var text = parameters.text
        return try text.withUTF8 { bytes in
            try bytes.withMemoryRebound(to: CChar.self) { characters in
                try answer {
                    table.pointee.ask_tree(table, method, characters.baseAddress, characters.count, $0, $1, $2)
                }
            }
        }
    }

    /// Reports a reading, or an event.
    public func emit(_ reading: JSON) throws {
        var text = reading.text
        let status = text.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) { table.pointee.emit(table, $0.baseAddress, $0.count) }
        }
        try check(status)
    }

    /// Asks for something by name (docs/plugin-abi.md, "Requests").
    /// - Returns: the answer, and a descriptor that the caller closes, if one came.
    public func request(_ name: String, _ arguments: JSON = [:]) throws -> (answer: JSON, descriptor: Int32?) {
        var descriptor: Int32 = -1
        var text = arguments.text
        let json = try text.withUTF8 { bytes in
            try bytes.withMemoryRebound(to: CChar.self) { characters in
                try answer {
                    table.pointee.request(
                        table, name, characters.baseAddress, characters.count, $0, $1, $2, &descriptor)
                }
            }
        }
        return (json, descriptor >= 0 ? descriptor : nil)
    }

    // MARK: Answers

    private func answer(
        _ call: (UnsafeMutablePointer<CChar>, Int, UnsafeMutablePointer<Int>) -> Int32
    ) throws -> JSON {
        var length = 0
        var status: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: Int(HF_ANSWER_MAX)) { buffer, count in
            buffer.withMemoryRebound(to: CChar.self) { characters in
                guard let start = characters.baseAddress else { return }
                status = call(start, characters.count, &length)
            }
            count = status == HF_OK ? min(length, buffer.count) : 0
        }
        try check(status)
        return bytes.isEmpty ? .null : try JSON(parsing: bytes)
    }

    private func check(_ status: Int32) throws {
        guard status < 0 else { return }
        var words = [CChar](repeating: 0, count: 1025)
        let length = table.pointee.last_error(table, &words, words.count)
        let text = words.prefix(min(length, words.count - 1)).map { UInt8(bitPattern: $0) }
        throw HostError(code: status, description: String(decoding: text, as: UTF8.self))
    }
}
