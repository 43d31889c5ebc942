import ControlProtocol

/// An archive that an operator wants to upload.
struct UploadDraft: JSONConvertible {
    /// Its name, under which it was signed.
    var file: String
    var size: Int
    var sha256: String

    private enum Key: String { case file, size, sha256 }

    init(json: JSONValue) throws(JSONError) {
        file = try json.required(Key.file)
        guard (1...255).contains(file.utf8.count), !file.contains("/"), !file.hasPrefix("."),
            file.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f })
        else { throw JSONError(.wrongType, at: "file", "must be a file's name of 255 bytes at most, without a folder") }
        size = try json.required(Key.size)
        guard size > 0 else { throw JSONError(.wrongType, at: "size", "must be 1 at least") }
        sha256 = try json.required(Key.sha256)
        guard ContentFolder.isHash(sha256) else {
            throw JSONError(.wrongType, at: "sha256", "must be 64 hexadecimal digits in lower case")
        }
    }

    var json: JSONValue { .object([Key.file: file, .size: size, .sha256: sha256]) }
}
