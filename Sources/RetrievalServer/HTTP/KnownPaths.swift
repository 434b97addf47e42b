import HTTPTypes
import Hummingbird

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The paths of the service and their methods and parameters.
///
/// They distinguish status 404 (no such path) from 405 (wrong method).
struct KnownPaths: Sendable {
    /// The query parameters of an operation.
    struct Parameters: Sendable {
        var names: Set<String> = []
        /// The parameters that may occur several times.
        var lists: Set<String> = []
    }

    private struct Path: Sendable {
        let parts: [Substring]
        /// The parameters of each operation, by its method.
        let operations: [String: Parameters]
        /// The methods that clients may use, sorted.
        let methods: [String]

        init(_ path: String, _ operations: [String: Parameters]) {
            parts = path.split(separator: "/")
            self.operations = operations
            methods = (operations.keys + (operations["GET"] == nil ? [] : ["HEAD"])).sorted()
        }

        func matches(_ other: [Substring]) -> Bool {
            parts.count == other.count
                && zip(parts, other).allSatisfy { $0 == $1 || $0.hasPrefix("{") }
        }
    }

    private let paths: [Path]

    /// Reads the paths of an OpenAPI document.
    ///
    /// - Parameters:
    ///   - description: The document, in JSON.
    ///   - pages: Further paths, which support only `GET` and `HEAD`.
    /// - Throws: `DecodingError`.
    init(description: [UInt8], pages: [String]) throws {
        let document = try JSONDecoder().decode(Document.self, from: Data(description))
        paths =
            document.paths.map { Path($0, $1.parameters) }
            + pages.map { Path($0, ["GET": Parameters()]) }
    }

    /// Returns the methods of a path; nil if the path does not exist.
    ///
    /// The path `*` stands for the whole service.
    func methods(of path: String) -> [String]? {
        guard path != "*" else { return Set(paths.flatMap(\.methods)).sorted() }
        return self[path]?.methods
    }

    /// Returns whether the path of a request supports its method.
    func isKnown(_ request: Request) -> Bool {
        methods(of: request.uri.path)?.contains(request.method.rawValue) ?? false
    }

    /// Returns the query parameters of the requested operation; nil if it does not exist.
    func parameters(of request: Request) -> Parameters? {
        let method = request.method == .head ? "GET" : request.method.rawValue
        return self[request.uri.path]?.operations[method]
    }

    private subscript(path: String) -> Path? {
        let parts = path.split(separator: "/")
        return paths.first { $0.matches(parts) }
    }
}

extension KnownPaths {
    private struct Document: Decodable {
        struct Operation: Decodable {
            struct Parameter: Decodable {
                let name: String
                let `in`: String
                let schema: Schema?
            }
            struct Schema: Decodable { let type: String? }
            let parameters: [Parameter]?
        }

        struct Operations: Decodable {
            /// The query parameters, by method.
            let parameters: [String: Parameters]

            init(from decoder: any Decoder) throws {
                let fields = try decoder.container(keyedBy: AnyKey.self)
                var parameters: [String: Parameters] = [:]
                for key in fields.allKeys where key.stringValue != "parameters" {
                    let operation = try fields.decode(Operation.self, forKey: key)
                    let query = (operation.parameters ?? []).filter { $0.in == "query" }
                    parameters[key.stringValue.uppercased()] = Parameters(
                        names: Set(query.map(\.name)),
                        lists: Set(query.filter { $0.schema?.type == "array" }.map(\.name)))
                }
                self.parameters = parameters
            }
        }

        let paths: [String: Operations]
    }
}

/// Rejects unknown and repeated query parameters, so that a typo is reported instead of ignored.
struct ParameterMiddleware: RouterMiddleware {
    typealias Context = ServiceContext
    let paths: KnownPaths

    func handle(_ request: Request, context: ServiceContext, next: Next) async throws -> Response {
        if let known = paths.parameters(of: request) {
            var seen: Set<String> = []
            for (name, _) in request.uri.queryParameters {
                let name = String(name.prefix(60))
                guard known.names.contains(name) else {
                    throw Problem(.invalidRequest, "'\(name)' is not a parameter of this path")
                }
                guard seen.insert(name).inserted || known.lists.contains(name) else {
                    throw Problem(.invalidRequest, "\(name): occurs twice")
                }
            }
        }
        return try await next(request, context)
    }
}
