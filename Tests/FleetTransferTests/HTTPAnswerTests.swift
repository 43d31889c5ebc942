import FleetTransfer
import Testing

struct HTTPAnswerTests {
    @Test(
        "dates of HTTP are read, and nothing else is",
        arguments: [
            ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777), ("Thu, 29 Feb 2024 12:00:00 GMT", 1_709_208_000),
            ("Thu, 01 Jan 1970 00:00:00 GMT", 0), ("Fri, 31 Dec 9999 23:59:59 GMT", 253_402_300_799),
            ("Sunday, 06-Nov-94 08:49:37 GMT", nil), ("", nil), ("Sun, 06 Nov 1994 08:49:37 CET", nil),
            ("Sun, 06 Nov 1994 25:49:37 GMT", nil), ("Sun, 99999999999999999999 Nov 1994 08:49:37 GMT", nil),
        ] as [(String, Int64?)])
    func dates(text: String, seconds: Int64?) {
        #expect(HTTPDate.seconds(text) == seconds)
    }

    @Test("Retry-After is seconds or a date, which counts from the answer's own")
    func retryAfter() {
        func wait(_ head: String) -> Duration? {
            HTTPAnswer(status: 503, head: "HTTP/1.1 503 Busy\r\n\(head)", body: []).retryAfter(now: 784_111_700)
        }
        #expect(wait("Retry-After: 120\r\n") == .seconds(120))
        #expect(wait("retry-after:  7") == .seconds(7))
        #expect(wait("Retry-After: Sun, 06 Nov 1994 08:49:37 GMT") == .seconds(77))
        #expect(
            wait("Date: Sun, 06 Nov 1994 08:49:30 GMT\r\nRetry-After: Sun, 06 Nov 1994 08:49:37 GMT") == .seconds(7))
        #expect(wait("Retry-After: Sun, 06 Nov 1984 08:49:37 GMT") == .zero)
        #expect(wait("Retry-After: -5") == nil)
        #expect(wait("Retry-After: soon") == nil)
        #expect(wait("Retry-After: 99999999999999999999") == nil)
    }

    @Test(
        "an address of central has a host, and no path",
        arguments: [
            ("https://central.example:7443", "central.example"), ("https://10.0.0.1:7443/", "10.0.0.1"),
            ("https://[fd00::1]:7443", "fd00::1"), ("HTTPS://central", "central"), ("http://central", nil),
            ("https://central/path", nil), ("https://user@central", nil), ("https://", nil), ("central", nil),
        ] as [(String, String?)])
    func addresses(url: String, host: String?) {
        #expect(CentralAddress(url)?.host == host)
    }
}
