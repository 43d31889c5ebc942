import Testing

@testable import FleetAPI

struct EnrolmentTokenTests {
    private let token = EnrolmentToken(
        url: "https://central.example:7443", pins: [[UInt8](repeating: 7, count: 32)],
        secret: [UInt8](repeating: 9, count: 32))

    @Test func `a token comes back from its text`() throws {
        #expect(token.text.hasPrefix("hf1."))
        #expect(try EnrolmentToken(token.text) == token)
    }

    @Test func `a token that was cut, changed or is something else is refused with what to do`() {
        for text in ["", "hello", String(token.text.dropLast(3)), token.text + "A", token.text + " ", "hf1."] {
            let error = #expect(throws: FleetError.self) { try EnrolmentToken(text) }
            #expect(error?.code == .invalidToken)
        }
    }

    @Test func `a token for a link without TLS is refused`() {
        var plain = token
        plain.url = "http://central.example"
        #expect(throws: FleetError.self) { try EnrolmentToken(plain.text) }
    }
}
