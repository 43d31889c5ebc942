import CPluginFrames
import LinuxSystem

/// One packet between a plugin host and us (CPluginFrames.h).
struct PluginFrame {
    var type: UInt32
    var number: Int32
    var value: Int64
    /// What has not been taken of the body yet.
    private(set) var body: ArraySlice<UInt8>

    init(
        _ type: hf_frame_type, number: Int32 = 0, value: Int64 = 0, texts: [String] = [],
        rest: some Sequence<UInt8> = []
    ) {
        self.type = type.rawValue
        self.number = number
        self.value = value
        var bytes: [UInt8] = []
        for text in texts {
            // A NUL byte would end it early, and shift what follows.
            bytes.append(contentsOf: text.utf8.lazy.filter { $0 != 0 })
            bytes.append(0)
        }
        bytes.append(contentsOf: rest)
        body = bytes[...]
    }

    /// `nil` for what is too short to be one.
    init?(packet: UnsafeRawBufferPointer) {
        let head = MemoryLayout<hf_frame>.size
        guard packet.count >= head else { return nil }
        let frame = packet.loadUnaligned(as: hf_frame.self)
        type = frame.type
        number = frame.number
        value = frame.value
        body = Array(packet[head...])[...]
    }

    var bytes: [UInt8] {
        var head = hf_frame(type: type, number: number, value: value)
        return withUnsafeBytes(of: &head) { Array($0) } + body
    }

    /// The next text of the body, up to its NUL byte or the end; what is not UTF-8 becomes replacement characters.
    mutating func takeText() -> String {
        let text = body.prefix { $0 != 0 }
        body = body[text.endIndex...].dropFirst()
        return String(decoding: text, as: UTF8.self)
    }
}
