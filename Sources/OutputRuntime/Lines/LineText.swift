/// Lines as text for JSON, which holds nothing but Unicode.
enum LineText {
    /// Bytes that are not UTF-8, and NUL (which the readers of our JSON refuse), become U+FFFD. A piece of a longer line
    /// says so at its end.
    static func text(_ bytes: some Collection<UInt8>, _ ending: LineSplitter.Ending) -> String {
        var text = String(decoding: bytes, as: UTF8.self)
        if bytes.contains(0) {
            var scalars = String.UnicodeScalarView()
            scalars.append(contentsOf: text.unicodeScalars.map { $0.value == 0 ? "\u{FFFD}" : $0 })
            text = String(scalars)
        }
        return ending == .longest ? text + continuationMark : text
    }

    /// Ends a piece whose line goes on in the next one.
    static let continuationMark = " \\"
}
