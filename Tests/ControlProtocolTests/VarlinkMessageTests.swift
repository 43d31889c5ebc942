import ControlProtocol
import Testing

struct VarlinkMessageTests {
    @Test(arguments: [
        VarlinkCall(method: "a.b.C"),
        VarlinkCall(method: "a.b.C", parameters: ["x": 1], more: true),
        VarlinkCall(method: "a.b.C", oneway: true, upgrade: true),
    ])
    func `a call survives the wire`(call: VarlinkCall) throws {
        #expect(try VarlinkCall(json: JSONValue.parse(call.json.serialised())) == call)
    }

    @Test(arguments: [
        VarlinkReply(), VarlinkReply(parameters: ["x": 1], continues: true),
        VarlinkReply(parameters: ["name": "cam"], error: "a.b.Broken"),
    ])
    func `a reply survives the wire`(reply: VarlinkReply) throws {
        #expect(try VarlinkReply(json: JSONValue.parse(reply.json.serialised())) == reply)
    }

    @Test func `flags and parameters that are null count as absent`() throws {
        let json: JSONValue = ["method": "a.b.C", "parameters": nil, "more": nil]
        #expect(try VarlinkCall(json: json) == VarlinkCall(method: "a.b.C"))
    }

    @Test(
        arguments: [
            ([], "must be an object, but is a list"), ([:], "method: is missing"),
            (["method": 1], "method: must be text, but is a whole number"),
            (["method": "a.B", "parameters": []], "parameters: must be an object, but is a list"),
            (["method": "a.B", "more": "yes"], "more: must be true or false, but is text"),
        ] as [(JSONValue, String)])
    func `what is no call is refused with the place`(json: JSONValue, message: String) {
        #expect {
            try VarlinkCall(json: json)
        } throws: {
            ($0 as? JSONError)?.description == message
        }
    }

    @Test(arguments: [
        VarlinkServiceError.interfaceNotFound("a.b"), .methodNotFound("a.b.C"), .methodNotImplemented("a.b.C"),
        .invalidParameter("name"), .permissionDenied, .expectedMore,
    ])
    func `a standard error survives the wire`(error: VarlinkServiceError) {
        #expect(VarlinkServiceError(error.reply) == error)
        #expect(RuntimeError(error.reply) == nil)
    }

    @Test(arguments: [
        RuntimeError.noSuchWorker(name: "cam"), .notPermitted(message: "no"),
        .configurationInvalid(problems: ["a:1:2: b: c"]), .outputUnavailable(message: "m"),
        .monitorUnavailable(message: "m"), .uplinkUnavailable(message: "m"), .enrolmentRefused(message: "m"),
        .unavailable(message: "m"),
    ])
    func `an error of the runtime survives the wire`(error: RuntimeError) {
        #expect(RuntimeError(error.reply) == error)
        #expect(VarlinkServiceError(error.reply) == nil)
    }
}
