import HTTPTypes
import Hummingbird
import NIOCore
import Retrieval

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// JSON as the service reads and writes it.
enum JSON {
    /// A value in UTF-8.
    static func bytes(_ value: some Encodable) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        do { return [UInt8](try encoder.encode(value)) } catch {
            preconditionFailure("a document that cannot be written: \(error)")
        }
    }

    /// A response of a document.
    static func response(_ value: some Encodable, status: HTTPResponse.Status = .ok) -> Response {
        Response(
            status: status, headers: [.contentType: "application/json; charset=utf-8"],
            body: .init(byteBuffer: ByteBuffer(bytes: bytes(value))))
    }

    /// Reads a request's document; no bytes are read as `{}`.
    ///
    /// - Throws: ``Problem`` that names the field.
    static func decode<Value: Decodable>(
        _ type: Value.Type, _ bytes: [UInt8], _ limits: ServerConfiguration.Limits
    ) throws -> Value {
        do {
            return try JSONDecoder().decode(
                type, from: Data(bytes.isEmpty ? Array("{}".utf8) : bytes))
        } catch let error as DecodingError {
            throw Problem(.invalidRequest, "the JSON of the request: \(error.reason)")
        } catch let problem as Problem {
            throw problem
        } catch {
            throw Problem(.invalidRequest, "the request holds no JSON")
        }
    }
}

/// Any name as a key, to find those that nobody expects.
struct AnyKey: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
}

extension Decoder {
    /// Refuses fields that are not among a type's keys, or are null, so that a slip is heard of.
    func refuseOthers<Key: CodingKey & CaseIterable>(than type: Key.Type) throws {
        let known = Set(type.allCases.map(\.stringValue))
        let fields = try container(keyedBy: AnyKey.self)
        for key in fields.allKeys {
            let reason: String
            if !known.contains(key.stringValue) {
                reason = "'\(key.stringValue)' is not a field of this request"
            } else if try fields.decodeNil(forKey: key) {
                reason = "'\(key.stringValue)' is null; leave it out"
            } else {
                continue
            }
            throw DecodingError.dataCorrupted(
                .init(codingPath: codingPath, debugDescription: reason))
        }
    }
}
