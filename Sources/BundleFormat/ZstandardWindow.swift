/// Walks through the frames of a zstd stream (RFC 8878, section 3) to see how much memory unpacking them takes: the library
/// would give a frame up to 128 MiB.
struct ZstandardWindow {
    private enum Part {
        case magic, frameHeader
        case skippableSize
        case blockHeader(hasChecksum: Bool)
        /// So many bytes that say nothing, and what comes then.
        indirect case content(Int, then: Part)
    }

    private var part = Part.magic
    /// Bytes of a part that is not complete yet.
    private var gathered: [UInt8] = []

    static let magic: [UInt8] = [0x28, 0xb5, 0x2f, 0xfd]

    /// Takes the next piece of the stream.
    mutating func read(_ bytes: UnsafeRawBufferPointer) throws(BundleError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            if case .content(let count, let next) = part {
                let skipped = min(count, rest.count)
                rest = rest.dropFirst(skipped)
                part = skipped == count ? next : .content(count - skipped, then: next)
                continue
            }
            gathered.append(rest[rest.startIndex])
            rest = rest.dropFirst()
            try advance()
        }
    }

    private func number(_ range: Range<Int>) -> Int {
        gathered[range].reversed().reduce(0) { $0 << 8 | Int($1) }
    }

    private mutating func become(_ next: Part) {
        gathered = []
        part = if case .content(0, let then) = next { then } else { next }
    }

    /// Goes on once a part is complete.
    private mutating func advance() throws(BundleError) {
        switch part {
        case .magic:
            guard gathered.count == 4 else { return }
            if gathered == Self.magic { return become(.frameHeader) }
            guard number(0..<4) & ~0xf == 0x184D_2A50 else { throw BundleError(.damaged, "it is no whole zstd stream") }
            become(.skippableSize)
        case .skippableSize:
            guard gathered.count == 4 else { return }
            become(.content(number(0..<4), then: .magic))
        case .frameHeader: try readFrameHeader()
        case .blockHeader(let hasChecksum):
            guard gathered.count == 3 else { return }
            let header = number(0..<3)
            let isRepeatedByte = header >> 1 & 3 == 1
            let next: Part =
                header & 1 == 0 ? .blockHeader(hasChecksum: hasChecksum) : .content(hasChecksum ? 4 : 0, then: .magic)
            become(.content(isRepeatedByte ? 1 : header >> 3, then: settled(next)))
        case .content: break
        }
    }

    private func settled(_ part: Part) -> Part {
        if case .content(0, let then) = part { then } else { part }
    }

    private mutating func readFrameHeader() throws(BundleError) {
        let descriptor = gathered[0]
        let isSingle = descriptor & 0x20 != 0
        let dictionary = [0, 1, 2, 4][Int(descriptor & 3)]
        let contentSize = [isSingle ? 1 : 0, 2, 4, 8][Int(descriptor >> 6)]
        let place = 1 + (isSingle ? 0 : 1) + dictionary
        guard gathered.count == place + contentSize else { return }
        let window: Int
        if isSingle {
            // Eight bytes that would be negative are too much in any case.
            let size = number(place..<place + contentSize)
            window = size < 0 ? .max : size
        } else {
            let base = 1 << (10 + Int(gathered[1] >> 3))
            window = base + base / 8 * Int(gathered[1] & 7)
        }
        guard window <= BundleLimits.window else {
            throw BundleError(
                .windowTooLarge,
                "unpacking it takes a window of \(window) bytes, and \(BundleLimits.window) are allowed (zstd --long, --ultra)"
            )
        }
        become(.blockHeader(hasChecksum: descriptor & 4 != 0))
    }
}
