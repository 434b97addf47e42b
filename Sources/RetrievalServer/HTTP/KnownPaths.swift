import HTTPTypes

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The paths of the API's description and what can be done with each, to tell "not here" from "not so".
struct KnownPaths: Sendable {
    private struct Path: Sendable {
        let parts: [Substring]
        let methods: [String]
    }

    private let paths: [Path]

    /// Reads them from an OpenAPI document.
    init(description: [UInt8]) {
        struct Document: Decodable {
            struct Operations: Decodable {
                let methods: [String]

                init(from decoder: any Decoder) throws {
                    let keys = try decoder.container(keyedBy: AnyKey.self).allKeys
                    methods = keys.map(\.stringValue).filter { $0 != "parameters" }
                }
            }
            let paths: [String: Operations]
        }
        let document: Document
        do {
            document = try JSONDecoder().decode(Document.self, from: Data(description))
        } catch {
            preconditionFailure("the API's description cannot be read: \(error)")
        }
        paths = document.paths.map { path, operations in
            let methods = operations.methods.map { $0.uppercased() }
            return Path(
                parts: path.split(separator: "/"),
                methods: (methods.contains("GET") ? methods + ["HEAD"] : methods).sorted())
        }
    }

    /// The methods that a path has; nil for one that does not exist.
    func methods(of path: String) -> [String]? {
        let parts = path.split(separator: "/")
        return paths.first { known in
            known.parts.count == parts.count
                && zip(known.parts, parts).allSatisfy { $0 == $1 || $0.hasPrefix("{") }
        }?.methods
    }
}
