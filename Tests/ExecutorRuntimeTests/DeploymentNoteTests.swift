import ControlProtocol
import Deployment
import Testing

@testable import ExecutorRuntime

@Suite struct DeploymentNoteTests {
    private static let version = BundleVersion(number: "1.4.2-rc.1", digest: "0123456789abcdef")
    private static let other = BundleVersion(number: "2", digest: "fedcba9876543210")

    @Test("every state, purpose and reason comes back as it was written", arguments: DeploymentRecord.State.allCases)
    func roundTrip(_ state: DeploymentRecord.State) throws {
        for purpose in DeploymentRecord.Purpose.allCases {
            for code in DeploymentReason.Code.allCases {
                let terms = VersionTerms(
                    probation: .milliseconds(1500), readyWithin: .seconds(7), selfTestWithin: .seconds(3),
                    isReversible: false)
                let reason = DeploymentReason(code, "because \"of\" this")
                let note = DeploymentNote(
                    record: DeploymentRecord(
                        id: "order", purpose: purpose, isForced: true, target: Self.version, terms: terms, state: state,
                        reason: reason, attempts: 2, refuge: Self.other, givenUp: [Self.version]),
                    history: VersionHistory(
                        good: [VersionHistory.Good(version: Self.other, terms: VersionTerms())],
                        barred: [Self.version], candidate: VersionHistory.Good(version: Self.version, terms: terms),
                        ends: [DeploymentEnd(id: "before", .failed, reason), DeploymentEnd(id: "x", .committed, nil)]))
                let bytes = note.json.serialised()
                #expect(try DeploymentNote(json: try JSONValue.parse(bytes)) == note)
            }
        }
    }

    @Test("the smallest one, and none of another format") func small() throws {
        let note = DeploymentNote()
        #expect(try DeploymentNote(json: note.json) == note)
        var json = try JSONObject(json: note.json)
        json["format"] = 2
        #expect(throws: JSONError.self) { try DeploymentNote(json: .object(json)) }
    }

    @Test("what is shown to others has the same states") func states() {
        let own = DeploymentRecord.State.allCases.map(\.rawValue)
        #expect(DeploymentReport.State.allCases.map(\.rawValue) == own)
        for state in DeploymentRecord.State.allCases {
            #expect(DeploymentReport.State(state).rawValue == state.rawValue)
            #expect(DeploymentReport.State(state).isEnd == state.isEnd)
        }
    }

    @Test(
        "only what may stand in a path is a version",
        arguments: [
            "", "@", "1.0", "1.0@0123", "1.0@0123456789ABCDEF", "../x@0123456789abcdef", ".1@0123456789abcdef",
            "a/b@0123456789abcdef", "1@0123456789abcdef@0123456789abcdef", "@0123456789abcdef",
        ]) func versions(_ text: String)
    {
        #expect(BundleVersion(identifier: text) == nil)
        #expect(BundleVersion(identifier: Self.version.identifier) == Self.version)
    }
}
