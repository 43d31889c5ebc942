import Testing

@testable import FleetAPI

struct Base64Tests {
    /// RFC 4648, section 10.
    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("foobar", "Zm9vYmFy"),
    ])
    func `it writes what the standard's examples say`(plain: String, encoded: String) {
        #expect(Base64.standard.encode(Array(plain.utf8)) == encoded)
        #expect(Base64.standard.decode(encoded) == Array(plain.utf8))
    }

    @Test func `every byte comes back in both alphabets`() {
        for count in 0..<70 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 71 &+ count) }
            for form in [Base64.standard, Base64.url] { #expect(form.decode(form.encode(bytes)) == bytes) }
        }
    }

    @Test(arguments: ["Zg", "Zg=", "Zh==", "Z===", "====", "Zm9v=", "Zm 9v", "Zm9-"])
    func `a text in another form is refused`(text: String) {
        #expect(Base64.standard.decode(text) == nil)
    }
}
