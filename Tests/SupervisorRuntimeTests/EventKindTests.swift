import ControlProtocol
import Testing

@testable import OutputRuntime
@testable import SupervisorRuntime

@Suite struct EventKindTests {
    @Test(arguments: EventKind.allCases)
    func `each kind of event is in the interface's description and has a message id in the journal`(kind: EventKind) {
        #expect(RuntimeInterface.definition.contains(kind.rawValue))
        #expect(JournalMessageID.id(ofKind: kind.rawValue)?.count == 32)
    }
}
