import BundleFormat
import ControlProtocol
import FleetAPI
import FleetTransfer
import LinuxSystem
import MonotonicTime
import Trust

/// Brings an archive to central in parts. What central has it keeps, so an upload goes on after anything: a lost
/// connection, a central that was started again, or this program itself.
struct BundleUpload {
    struct Outcome {
        /// As central describes it.
        var bundle: JSONValue
        /// All of it was there before.
        var wasThere: Bool
    }

    private static let smallestPart = 64 << 10
    private static let largestPart = 8 << 20
    /// Parts grow while one takes less than this, so that what is lost with a connection is little.
    private static let partTime: Duration = .seconds(2)
    /// In a row, without anything coming through in between.
    private static let tries = 8
    private static let longestWait: Duration = .seconds(30)

    private let client: FleetClient
    private let path: String
    private let file: SharedDescriptor
    let name: String
    let size: Int
    private let sha256: String
    private var partSize = 1 << 20
    private var failures = 0
    private var hasSent = false
    /// As central says; `nil` while it has to be asked.
    private var offset: Int?

    private enum Key: String { case file, size, sha256, offset }

    /// Reads the archive once, to hash it, and its manifest.
    init(_ path: String, to client: FleetClient) throws(CommandError) {
        self.path = path
        self.client = client
        name = BundleFiles.name(of: path)
        let digest = try BundleFiles.withFile(path) { (descriptor) throws(BundleError) in
            let digest = try BundleArchive.digest(of: descriptor)
            _ = try BundleArchive(descriptor, expecting: digest.sha256).manifest
            return digest
        }
        size = digest.length
        sha256 = digest.sha256.hex
        do throws(SystemError) {
            file = SharedDescriptor(try SystemCall.open(path, .readOnly))
        } catch {
            throw CommandError(code: error.bundleCode, message: "\(path) cannot be opened: \(error.message)")
        }
    }

    /// - Parameter progress: how many bytes are there, whenever that changes.
    mutating func run(_ progress: (Int) throws -> Void) throws -> Outcome {
        while true {
            let answer: HTTPAnswer
            let began = client.now
            if let offset {
                guard let content = try send(at: offset) else { continue }
                answer = content
            } else {
                guard let told = try settle(client.result(of: ask())) else { continue }
                answer = told
            }
            switch answer.status {
            case 201: return Outcome(bundle: try client.json(answer), wasThere: false)
            case 200 where offset == nil: return Outcome(bundle: try client.json(answer), wasThere: !hasSent)
            case 200, 202:
                let there = try client.json(answer)["offset"]?.intValue ?? 0
                if there > offset ?? there { advance(took: began.duration(to: client.now)) }
                offset = there
                try progress(there)
            case 404 where offset != nil, 409 where answer.problem?.kind == .offset:
                // Central has another part than we thought, or all of it: our last answer was lost.
                offset = nil
                try pause(nil, why: "central: \(answer.problem?.detail ?? "the upload is elsewhere")")
            default: _ = try client.judge(answer)
            }
        }
    }

    private func ask() -> Transfer.Order {
        client.order("POST", "/bundles", [:], .object([Key.file: name, .size: size, .sha256: sha256]))
    }

    /// Sends the next part; `nil` when that has to be tried again.
    private mutating func send(at offset: Int) throws(CommandError) -> HTTPAnswer? {
        var order = client.order("PATCH", "/uploads/\(sha256)", [:], nil)
        order.fields += ["Upload-Offset: \(offset)", "Content-Type: application/octet-stream"]
        order.body = try part(at: offset)
        hasSent = true
        return try settle(client.result(of: order))
    }

    private func part(at offset: Int) throws(CommandError) -> [UInt8] {
        let count = min(partSize, size - offset)
        var bytes = [UInt8](repeating: 0, count: max(0, count))
        let result = bytes.withUnsafeMutableBytes { buffer in
            Result { () throws(SystemError) in
                var done = 0
                while done < buffer.count, let number = file.rawValue {
                    let read = try SystemCall.read(
                        number, into: UnsafeMutableRawBufferPointer(rebasing: buffer[done...]), at: Int64(offset + done)
                    )
                    if read == 0 { break }
                    done += read
                }
                return done
            }
        }
        switch result {
        case .success(bytes.count): return bytes
        case .success: throw CommandError(code: .failed, message: "\(path) has become shorter: upload it again")
        case .failure(let error):
            throw CommandError(code: .failed, message: "\(path) cannot be read: \(error.message)")
        }
    }

    /// - Returns: an answer that counts; `nil` when it is to be tried again, which has been waited for.
    private mutating func settle(_ result: Result<HTTPAnswer, Transfer.Failure>) throws(CommandError) -> HTTPAnswer? {
        switch result {
        case .success(let answer) where [429, 502, 503, 504].contains(answer.status) || answer.status == 500:
            try pause(answer.retryAfter(now: 0), why: "central: \(answer.problem?.detail ?? "status \(answer.status)")")
        case .success(let answer): return answer
        case .failure(let failure): try pause(nil, why: "central at \(client.base) does not answer: \(failure)")
        }
        offset = nil
        return nil
    }

    private mutating func advance(took time: Duration) {
        failures = 0
        if time < Self.partTime { partSize = min(Self.largestPart, partSize * 2) }
    }

    private mutating func pause(_ asked: Duration?, why: String) throws(CommandError) {
        failures += 1
        partSize = max(Self.smallestPart, partSize / 2)
        guard failures < Self.tries else {
            throw CommandError(
                code: .unreachable,
                message:
                    "\(why.escapedForTerminal); what central has of \(name.escapedForTerminal) it keeps for a day: "
                    + "the same command goes on from there")
        }
        let wait = min(Self.longestWait, .seconds(1 << (failures - 1)))
        try client.wait(for: max(wait, min(asked ?? .zero, Self.longestWait)))
    }
}
