import Testing

@testable import FleetAPI

struct OperatorLoginTests {
    private let login = OperatorLogin(
        url: "https://central.example:7443",
        pins: [[UInt8](repeating: 7, count: 32), [UInt8](repeating: 8, count: 32)],
        token: "hfo_abc")

    @Test func `a login comes back from its text`() throws {
        #expect(login.text.hasPrefix("hfl1."))
        #expect(try OperatorLogin(login.text) == login)
    }

    @Test func `a login that was cut, or is something else, is refused`() {
        for text in ["", "hfo_abc", String(login.text.dropLast(4)), login.text + "!"] {
            #expect(throws: FleetError.self) { try OperatorLogin(text) }
        }
    }
}
