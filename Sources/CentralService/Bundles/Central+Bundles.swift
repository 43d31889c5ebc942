import CentralStore
import ControlProtocol
import HTTPTypes
import Hummingbird
import Trust

extension Central {
    /// `GET /bundles`
    func listBundles(_ request: Request, _ context: CentralContext, _ who: Operator) async throws -> Response {
        let query = QueryReader(request)
        let filter = BundleFilter(
            name: try query.text("name"), before: try query.text("before"),
            limit: try query.limit(standard: 100, most: 1000))
        let bundles = try await store.bundles(filter)
        let targets = try await shelf.entry(.targets)
        let next = bundles.count == filter.limit ? bundles.last.map { JSONValue.string($0.sha256) } : nil
        return .json(
            View.page("bundles", bundles.map { View.bundle($0, Signing($0, targets)) }, next: next ?? .null))
    }

    /// `GET /bundles/{name}/{version}`
    func showBundle(_ request: Request, _ context: CentralContext, _ who: Operator) async throws -> Response {
        .json(try await view(try await bundle(context)))
    }

    /// `DELETE /bundles/{name}/{version}`
    func removeBundle(_ request: Request, _ context: CentralContext, _ who: Operator) async throws -> Response {
        let (content, bundle) = (self.content, try await bundle(context))
        guard content.occupy(bundle.sha256) else { throw Self.busy }
        defer { content.release(bundle.sha256) }
        // First the entry: nothing ever leads to content that is not there.
        try await store.removeBundle(content: bundle.sha256)
        try await note(who, "bundle.remove", "\(bundle.name) \(bundle.version)", bundle.file)
        try await ContentFolder.run { try content.remove(bundle.sha256) }
        return .noContent
    }

    private func bundle(_ context: CentralContext) async throws -> StoredBundle {
        let (name, version) = (try context.parameters.require("name"), try context.parameters.require("version"))
        return try await bundle(name, version)
    }

    func bundle(_ name: String, _ version: String) async throws -> StoredBundle {
        guard let bundle = try await store.bundle(name, version) else {
            throw Problem.notFound("there is no bundle \(name) \(version): upload it first")
        }
        return bundle
    }

    func view(_ bundle: StoredBundle) async throws -> JSONValue {
        View.bundle(bundle, Signing(bundle, try await shelf.entry(.targets)))
    }
}

/// Whether devices will find a bundle in the signed metadata.
struct Signing {
    let isSigned: Bool
    /// In words; what to do where it is not.
    let detail: String

    init(_ bundle: StoredBundle, _ targets: MetadataShelf.Entry?) {
        guard let targets else {
            isSigned = false
            detail = "no targets.json has been uploaded: upload the one that names \(bundle.file)"
            return
        }
        let version = "targets.json, version \(targets.metadata.version),"
        guard let file = targets.files[bundle.file] else {
            isSigned = false
            detail = "\(version) does not name \(bundle.file): sign it, and upload the new targets.json"
            return
        }
        isSigned = file.length == bundle.size && file.sha256.hex == bundle.sha256
        detail =
            isSigned
            ? "\(version) names it" : "\(version) names another \(bundle.file): sign this one under a name of its own"
    }
}
