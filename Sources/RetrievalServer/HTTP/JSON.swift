import HTTPTypes
import Hummingbird
import NIOCore
import Retrieval
import Storage

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Reads and writes the JSON of the service.
enum JSON {
    /// Encodes a value as JSON in UTF-8.
    static func bytes(_ value: some Encodable) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        do { return [UInt8](try encoder.encode(value)) } catch {
            preconditionFailure("cannot encode a document: \(error)")
        }
    }

    /// Returns a response with a value as JSON.
    static func response(_ value: some Encodable, status: HTTPResponse.Status = .ok) -> Response {
        Response(
            status: status, headers: [.contentType: "application/json; charset=utf-8"],
            body: .init(byteBuffer: ByteBuffer(bytes: bytes(value))))
    }

    /// Decodes the JSON of a request; an empty body counts as `{}`.
    ///
    /// - Throws: ``Problem`` that names the field and the reason.
    static func decode<Value: Decodable>(
        _ type: Value.Type, _ bytes: [UInt8], _ limits: ServerConfiguration.Limits
    ) throws -> Value {
        let bytes = bytes.isEmpty ? Array("{}".utf8) : bytes
        let scan = try JSONScan(bytes)
        guard scan.sizes["metadata", default: 0] <= limits.metadataBytes else {
            throw Problem(
                .invalidRequest,
                "metadata: must have at most \(limits.metadataBytes) bytes of JSON")
        }
        do {
            return try JSONDecoder().decode(type, from: Data(bytes))
        } catch let error as DecodingError {
            throw Problem(.invalidRequest, "the request's JSON: \(error.wanted)")
        }
    }
}

/// A field that is written as null, rather than omitted, if it has no value.
struct Nullable<Value: Encodable>: Encodable {
    let value: Value?

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        if let value { try container.encode(value) } else { try container.encodeNil() }
    }
}

extension Nullable: Sendable where Value: Sendable {}

extension DecodingError {
    /// The field and its expected type, in one line.
    fileprivate var wanted: String {
        guard case .typeMismatch(let type, let context) = self else { return reason }
        let names: [(any Any.Type, String)] = [
            (String.self, "a text"), (Double.self, "a number"), (Bool.self, "true or false"),
            ([Any].self, "a list"), ([String: Any].self, "an object"),
        ]
        let name = names.first { $0.0 == type }?.1 ?? "a \(type)"
        let path = context.codingPath.map { $0.intValue.map(String.init) ?? $0.stringValue }
        return "\(path.joined(separator: ".")): must be \(name)"
    }
}

extension KeyedDecodingContainer {
    /// Decodes a whole number; returns nil if the field is absent.
    ///
    /// - Throws: ``Problem`` that names the field.
    func whole(forKey key: Key) throws -> Int? {
        guard let number = try decodeIfPresent(Double.self, forKey: key) else { return nil }
        guard let whole = Int(exactly: number) else {
            throw Problem(
                .invalidRequest, "\(key.stringValue): must be a whole number, not \(number)")
        }
        return whole
    }

    /// Decodes a list of at most `limit` texts; returns nil if the field is absent.
    ///
    /// - Throws: ``Problem`` that names the field.
    func texts(forKey key: Key, atMost limit: Int) throws -> [String]? {
        guard contains(key) else { return nil }
        var list = try nestedUnkeyedContainer(forKey: key)
        guard (list.count ?? 0) <= limit else {
            throw Problem(.invalidRequest, "\(key.stringValue): must have at most \(limit) items")
        }
        var texts: [String] = []
        while !list.isAtEnd { texts.append(try list.decode(String.self)) }
        return texts
    }
}

/// A key of any name, to find unknown fields.
struct AnyKey: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
}

extension Decoder {
    /// Rejects unknown and null fields, so that a typo is reported instead of ignored.
    func refuseOthers<Key: CodingKey & CaseIterable>(than type: Key.Type) throws {
        let known = Set(type.allCases.map(\.stringValue))
        let fields = try container(keyedBy: AnyKey.self)
        for key in fields.allKeys {
            let reason: String
            if !known.contains(key.stringValue) {
                reason = "'\(key.stringValue.prefix(60))' is not a field of this request"
            } else if try fields.decodeNil(forKey: key) {
                reason = "'\(key.stringValue)' is null; omit it instead"
            } else {
                continue
            }
            throw DecodingError.dataCorrupted(
                .init(codingPath: codingPath, debugDescription: reason))
        }
    }
}
