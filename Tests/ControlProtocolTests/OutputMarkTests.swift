import Testing

@testable import ControlProtocol

@Suite struct OutputMarkTests {
    private func first(in text: String) -> (mark: OutputMark, range: Range<Int>)? {
        Array(text.utf8).withUnsafeBytes { OutputMark.first(in: $0) }
    }

    @Test(arguments: [UInt64(1), 4711, .max])
    func `a mark is found where it stands, in the middle of a line too`(instance: UInt64) throws {
        let mark = OutputMark(instance: instance)
        let text = "line\0\nlast wor" + String(decoding: mark.bytes, as: UTF8.self) + "first\n"
        let found = try #require(first(in: text))
        #expect(found.mark == mark)
        #expect(found.range == 14..<(14 + mark.bytes.count))
        #expect(mark.bytes.count <= OutputMark.longest)
    }

    @Test(arguments: [
        "", "text\n", "\0\0\0", "\0\0holdfast: process \n", "\0\0holdfast: process x\n", "\0\0holdfast: process 1",
    ])
    func `what is no mark is left alone`(text: String) {
        #expect(first(in: text) == nil)
    }

    @Test func `a mark that is cut short is told from text`() {
        let bytes = Array("text".utf8) + OutputMark(instance: 7).bytes
        for count in 5..<bytes.count {
            #expect(bytes[..<count].withUnsafeBytes { OutputMark.cutStart(in: $0) } == 4)
        }
        #expect(Array("text".utf8).withUnsafeBytes { OutputMark.cutStart(in: $0) } == nil)
    }
}
