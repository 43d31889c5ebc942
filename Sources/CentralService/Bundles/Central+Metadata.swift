import CentralStore
import ControlProtocol
import Crypto
import FleetAPI
import HTTPTypes
import Hummingbird
import NIOCore
import Trust

extension Central {
    /// `GET /device/metadata/{name}`: byte for byte as it was uploaded.
    func giveMetadata(_ request: Request, _ context: CentralContext) async throws -> Response {
        _ = try await check(request, upTo: 0)
        return try await metadata(request, context)
    }

    /// `GET /metadata/{name}`
    func showMetadata(_ request: Request, _ context: CentralContext, _ who: Operator) async throws -> Response {
        try await metadata(request, context)
    }

    private func metadata(_ request: Request, _ context: CentralContext) async throws -> Response {
        let name = try Self.name(context)
        guard let entry = try await shelf.entry(name) else {
            throw Problem.notFound(
                "nobody has uploaded a \(name.rawValue) (holdfast fleet bundle upload --\(name.option) FILE)")
        }
        let tag = EntityTag(sha256: entry.metadata.sha256)
        // It may be kept, but has to be asked for again.
        var headers: HTTPFields = [.eTag: tag.text, .cacheControl: "no-cache"]
        guard !tag.isNamed(in: request.headers[.ifNoneMatch]) else {
            headers[.contentLength] = String(entry.bytes.readableBytes)
            return Response(status: .notModified, headers: headers)
        }
        headers[.contentType] = "application/json"
        return Response(status: .ok, headers: headers, body: .init(byteBuffer: entry.bytes))
    }

    private static func name(_ context: CentralContext) throws -> MetadataShelf.Name {
        let text = try context.parameters.require("name")
        guard let name = MetadataShelf.Name(rawValue: text) else {
            throw Problem.notFound("there are targets.json and root.json only")
        }
        return name
    }

    /// `PUT /metadata/{name}`
    func putMetadata(_ request: Request, _ context: CentralContext, _ who: Operator) async throws -> Response {
        let name = try Self.name(context)
        let limit = name == .root ? RootMetadata.largestFile : TargetsMetadata.largestFile
        let content = try await request.content(upTo: limit)
        let bytes = Array(buffer: content)
        let judged = try await judge(bytes, as: name)
        let entry = try await shelf.put(
            StoredMetadata(
                name: name.rawValue, version: judged.header.version, bytes: bytes, sha256: Self.hash(bytes),
                contentSHA256: Self.hash(judged.signed), uploadedBy: who.name, uploadedAt: clock.now()), as: name)
        try await note(who, "metadata.upload", name.rawValue, "version \(judged.header.version)")
        let json: JSONObject = [
            "name": .string(name.rawValue), "version": .int(Int64(judged.header.version)),
            "sha256": .string(entry.metadata.sha256), "size": .int(Int64(bytes.count)),
            "expires": .string(judged.header.expires.description), "files": .int(Int64(entry.files.count)),
            "verified": .bool(judged.isVerified), "detail": .string(judged.detail),
        ]
        return .json(json)
    }

    /// What was found of metadata that were uploaded.
    private struct Judgement {
        var header: MetadataHeader
        /// What the signatures are over.
        var signed: [UInt8]
        var isVerified: Bool
        var detail: String
    }

    private func judge(_ bytes: [UInt8], as name: MetadataShelf.Name) async throws -> Judgement {
        do {
            switch name {
            case .root:
                let envelope = try SignedEnvelope(parsing: bytes, limit: RootMetadata.largestFile)
                let root = try TrustedRoot(trusting: bytes)
                return Judgement(
                    header: root.metadata.header, signed: try CanonicalJSON.encode(envelope.signed), isVerified: true,
                    detail: try await sayWhatBecomes(of: .targets, under: root))
            case .targets:
                let envelope = try SignedEnvelope(parsing: bytes, limit: TargetsMetadata.largestFile)
                let signed = try CanonicalJSON.encode(envelope.signed)
                guard let root = try await shelf.entry(.root) else {
                    return Judgement(
                        header: try TargetsMetadata(unverified: envelope).header, signed: signed, isVerified: false,
                        detail: "the signatures were not checked: there is no root.json here. Devices check them")
                }
                let targets = try TrustedRoot(trusting: root.metadata.bytes).targets(
                    bytes, at: ExpiryTime(seconds: clock.seconds))
                return Judgement(
                    header: targets.header, signed: signed, isVerified: true,
                    detail: "signed as root.json, version \(root.metadata.version), asks for")
            }
        } catch let error as TrustError {
            if error.code == .libraryUnavailable { throw Problem.missingLibrary(error.message) }
            throw Problem(
                .untrusted, .unprocessableContent, "The metadata are not taken", "\(name.rawValue): \(error.message)")
        }
    }

    /// Whether a new root still holds for what is there.
    private func sayWhatBecomes(of name: MetadataShelf.Name, under root: TrustedRoot) async throws -> String {
        guard let entry = try await shelf.entry(name) else { return "signed by itself" }
        do throws(TrustError) {
            _ = try root.targets(entry.metadata.bytes, at: ExpiryTime(seconds: clock.seconds))
            return "signed by itself; the \(name.rawValue) here holds under it"
        } catch {
            return "signed by itself; the \(name.rawValue) here does not hold under it: \(error.message)"
        }
    }

    private static func hash(_ bytes: [UInt8]) -> String { Hexadecimal.encode(Array(SHA256.hash(data: bytes))) }
}

extension MetadataShelf.Name {
    /// Of the command line.
    var option: String {
        switch self {
        case .root: "root"
        case .targets: "targets"
        }
    }
}
