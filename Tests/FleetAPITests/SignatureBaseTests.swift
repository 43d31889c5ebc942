import Testing

@testable import FleetAPI

struct SignatureBaseTests {
    @Test func `a request with content is covered with its digest`() {
        let base = SignatureBase(
            method: "POST", path: "/api/v1/device/heartbeat", query: "", contentDigest: "sha-256=:AAAA:")
        let parameters = base.parameters(created: 1_763_700_000, nonce: [0xfb, 0xff], keyID: "0123456789abcdef")
        #expect(
            base.text(parameters: parameters) == """
                "@method": POST
                "@path": /api/v1/device/heartbeat
                "@query": ?
                "content-digest": sha-256=:AAAA:
                "@signature-params": ("@method" "@path" "@query" "content-digest");created=1763700000;nonce="-_8";\
                keyid="0123456789abcdef";alg="ed25519";tag="holdfast"
                """)
    }

    @Test func `a request without content covers its query`() {
        let base = SignatureBase(method: "GET", path: "/a", query: "after=7&wait=30", contentDigest: nil)
        #expect(base.components == ["@method", "@path", "@query"])
        #expect(base.text(parameters: "()").contains("\"@query\": ?after=7&wait=30\n"))
    }
}
