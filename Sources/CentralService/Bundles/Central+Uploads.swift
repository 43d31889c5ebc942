import BundleFormat
import CentralStore
import ControlProtocol
import FleetAPI
import HTTPTypes
import Hummingbird
import LinuxSystem
import Logging
import NIOCore

extension HTTPField.Name {
    /// As in draft-ietf-httpbis-resumable-upload.
    static let uploadOffset = HTTPField.Name("Upload-Offset") ?? .contentRange
}

extension Central {
    private static let mostUploads = 32
    /// What is left for the database.
    private static let spareSpace: UInt64 = 64 << 20
    private static let uploadLifetime: Int64 = 86_400_000

    /// `POST /bundles`: begins an upload, or says how far it is.
    func createBundle(_ request: Request, _ context: CentralContext, _ who: Operator) async throws -> Response {
        let draft: UploadDraft = try await request.content(upTo: RequestLimits.operatorRequest).decoded()
        guard draft.size <= settings.largestBundle else {
            throw Problem(
                .tooLarge, .contentTooLarge, "The bundle is too large",
                "central takes \(settings.largestBundle) bytes at most (holdfast-central serve --max-bundle)")
        }
        if let known = try await store.bundle(content: draft.sha256) {
            guard known.file == draft.file else {
                throw Problem(
                    .conflict, .conflict, "It cannot be so",
                    "the same bytes are there as \(known.file): deploy that, or remove it first")
            }
            return .json(try await view(known))
        }
        let content = self.content
        let upload = StoredUpload(
            sha256: draft.sha256, file: draft.file, size: draft.size, startedBy: who.name, startedAt: clock.now())
        if try await ContentFolder.run({ try content.open(draft.sha256) != nil }) {
            // Central was killed between the last byte and the entry.
            return try await takeIn(upload, from: nil, who)
        }
        try await store.begin(upload, limit: Self.mostUploads)
        let received = try await ContentFolder.run { () -> Int64 in
            let received = try content.received(draft.sha256)
            guard received > draft.size else { return received }
            try content.discard(draft.sha256)
            return 0
        }
        let available = try await ContentFolder.run { try content.availableSpace() }
        guard available >= UInt64(Int64(upload.size) - received) + Self.spareSpace else {
            await giveUpForSpace(upload)
            throw Self.noSpace("\(available) bytes are free, and the bundle has \(upload.size)")
        }
        return Self.answer(upload, received: received, status: .accepted)
    }

    /// `PATCH /uploads/{sha256}`: goes on with an upload.
    func continueUpload(_ request: Request, _ context: CentralContext, _ who: Operator) async throws -> Response {
        let sha256 = try context.parameters.require("sha256")
        guard let upload = try await store.upload(sha256) else {
            throw Problem.notFound("no such upload has begun, or it is complete: begin with POST /api/v1/bundles")
        }
        guard let offset = request.headers[.uploadOffset].flatMap({ Int64($0) }) else {
            throw Problem.invalid("Upload-Offset has to say where the content begins")
        }
        let content = self.content
        do {
            let file = try await ContentFolder.run { try content.incoming(sha256) }
            let ticket = try file.claim(at: offset)
            for try await piece in request.body {
                try await ContentFolder.run { try file.append(piece, ticket: ticket, limit: Int64(upload.size)) }
            }
            let received = file.offset
            guard received == upload.size else { return Self.answer(upload, received: received, status: .ok) }
            return try await takeIn(upload, from: (file, ticket), who)
        } catch let refusal as IncomingFile.Refusal {
            throw Problem(refusal, sha256)
        } catch let error as SystemError where error.isNoSpace {
            await giveUpForSpace(upload)
            throw Self.noSpace(error.message)
        }
    }

    private static func answer(_ upload: StoredUpload, received: Int64, status: HTTPResponse.Status) -> Response {
        let json: JSONObject = [
            "sha256": .string(upload.sha256), "file": .string(upload.file), "size": .int(Int64(upload.size)),
            "offset": .int(received),
        ]
        var response = Response.json(json, status: status)
        response.headers[.uploadOffset] = String(received)
        response.headers[.location] = "/api/v1/uploads/\(upload.sha256)"
        return response
    }

    /// All of it is there: judges it, and makes it a bundle.
    /// - Parameter incoming: what has come; `nil` when it lies at its place already.
    private func takeIn(
        _ upload: StoredUpload, from incoming: (file: IncomingFile, ticket: UInt64)?, _ who: Operator
    ) async throws -> Response {
        let (content, sha256) = (self.content, upload.sha256)
        guard content.occupy(sha256) else { throw Self.busy }
        defer { content.release(sha256) }
        // An earlier request has done it, and its answer was lost.
        if let known = try await store.bundle(content: sha256) { return .json(try await view(known)) }
        let bundle: StoredBundle
        do {
            let manifest = try await ContentFolder.run { () -> BundleManifest in
                guard let incoming else { return try content.manifest(sha256) }
                let manifest = try incoming.file.finish(ticket: incoming.ticket) { hash, descriptor in
                    guard hash == sha256 else {
                        throw Problem.content("what came hashes to \(hash): begin again")
                    }
                    return try Self.manifest(descriptor)
                }
                try content.keep(sha256)
                return manifest
            }
            bundle = StoredBundle(
                name: manifest.name, version: manifest.identifier, file: upload.file, size: upload.size,
                sha256: sha256, description: manifest.targetDescription, uploadedBy: who.name,
                uploadedAt: clock.now())
            try await store.add(bundle)
        } catch  where error is Problem || error is StoreError {
            // It will never do. After any other failure it can be gone on with.
            try await ContentFolder.run { try content.remove(sha256) }
            try await giveUp(upload)
            throw error
        }
        try await note(who, "bundle.upload", "\(bundle.name) \(bundle.version)", bundle.file)
        return .json(try await view(bundle), status: .created)
    }

    static func manifest(_ descriptor: Int32) throws -> BundleManifest {
        do throws(BundleError) {
            return try BundleArchive(descriptor, expecting: nil).manifest
        } catch {
            // These say nothing of what came.
            if let cause = error.cause { throw cause }
            if error.code == .libraryUnavailable { throw Problem.missingLibrary(error.message) }
            let problems = error.problems.isEmpty ? "" : ": " + error.problems.joined(separator: "; ")
            throw Problem.content(error.message + problems)
        }
    }

    private func giveUp(_ upload: StoredUpload) async throws {
        let content = self.content
        try await ContentFolder.run { try content.discard(upload.sha256) }
        try await store.endUpload(upload.sha256)
    }

    /// The database may have no room either: then it keeps the entry, without a part, for a day.
    private func giveUpForSpace(_ upload: StoredUpload) async {
        do {
            try await giveUp(upload)
        } catch {
            logger.warning(
                "cannot forget an upload for which the disk has no room; tried again later",
                metadata: ["sha256": "\(upload.sha256)", "error": "\(error)"])
        }
    }

    /// Forgets what nobody has gone on with for a day, and what belongs to nobody.
    func forgetUploads() async throws {
        let content = self.content
        let oldest = clock.now() - Self.uploadLifetime
        for upload in try await store.uploads() where upload.startedAt < oldest {
            let changed = try await ContentFolder.run { try content.changed(upload.sha256) }
            guard (changed ?? 0) < Double(oldest) / 1000 else { continue }
            try await giveUp(upload)
        }
        let known = Set(try await store.contents())
        try await ContentFolder.run {
            try content.sweep(before: Double(oldest) / 1000) { known.contains($0) }
        }
    }

    static var busy: Problem {
        Problem(
            .unavailable, .serviceUnavailable, "The content is in use",
            "another request completes it, or takes it away: try again in a moment", retryAfter: 2)
    }

    private static func noSpace(_ detail: String) -> Problem {
        Problem(
            .noSpace, .init(code: 507, reasonPhrase: "Insufficient Storage"), "Central's disk is full",
            "the disk is full: \(detail). Nothing of it was kept; make room on central's machine, or remove bundles"
                + " that nobody needs")
    }
}

extension ContentFolder {
    func manifest(_ sha256: String) throws -> BundleManifest {
        guard let file = try open(sha256) else { throw Problem.notFound("the content is gone: begin again") }
        return try file.withDescriptor { try Central.manifest($0) }
    }
}

extension Problem {
    fileprivate init(_ refusal: IncomingFile.Refusal, _ sha256: String) {
        switch refusal {
        case .wrongOffset(let offset):
            self.init(
                .offset, .conflict, "It goes on elsewhere", "\(offset) bytes are there: go on from there",
                more: ["offset": .int(offset)])
            headers[.uploadOffset] = String(offset)
        case .overtaken:
            self.init(
                .offset, .conflict, "It goes on elsewhere",
                "another request goes on with this upload: ask how far it is")
        case .tooLong:
            self = .invalid("more content comes than the upload was announced with")
        }
    }

    static func missingLibrary(_ detail: String) -> Problem {
        Problem(.internalError, .internalServerError, "Central lacks a library", "on central's machine: \(detail)")
    }

    fileprivate static func content(_ detail: String) -> Problem {
        Problem(.content, .unprocessableContent, "The content is not taken", detail)
    }
}
