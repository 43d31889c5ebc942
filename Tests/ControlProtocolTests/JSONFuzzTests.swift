import ControlProtocol
import Testing

struct JSONFuzzTests {
    /// Valid JSON with bytes changed, cut or doubled at random: either it parses, and then its own output parses to the
    /// same value, or it is an error.
    @Test(arguments: 0..<20)
    func `mutated text never crashes, and what parses survives a round trip`(seed: UInt64) throws {
        var random = SplitMix(state: seed)
        let original = Array(
            #"{"method":"io.holdfast.Runtime.Logs","parameters":{"worker":"caméra","lines":10,"x":[1.5e3,null,{}]}}"#
                .utf8)
        for _ in 0..<500 {
            var bytes = original
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let index = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes[index] = UInt8.random(in: 0...255, using: &random)
                case 1 where bytes.count > 2: bytes.remove(at: index)
                case 2: bytes.insert(bytes[index], at: index)
                default: bytes.removeLast(min(index, max(0, bytes.count - 2)))
                }
            }
            guard let value = try? JSONValue.parse(bytes) else { continue }
            #expect(try JSONValue.parse(value.serialised()) == value)
        }
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014): the same seed gives the same test.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
