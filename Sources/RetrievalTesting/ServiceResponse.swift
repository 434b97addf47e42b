public import Foundation

/// What a service answered.
///
///     let answer = try await service.client.send("GET", "/api/images")
///     #expect(answer.status == 200)
///     #expect(answer.json["total"] as? Int == 12)
public struct ServiceResponse: Sendable, Hashable {
    /// The status code, such as 200.
    public let status: Int
    /// The header fields by their names in lower case; the values of a repeated field are joined
    /// with commas.
    public let headers: [String: String]
    /// The bytes behind the header, without the marks of chunks.
    public let body: [UInt8]

    package init(status: Int, headers: [String: String], body: [UInt8]) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// The body as an object of JSON, empty if it is no such object.
    public var json: [String: Any] {
        (try? JSONSerialization.jsonObject(with: Data(body)) as? [String: Any]) ?? [:]
    }

    /// The body as text.
    public var text: String { String(decoding: body, as: UTF8.self) }

    /// The last part of the `type` of a problem document, such as `empty-text`; nil if the body is
    /// no problem document.
    public var problem: String? {
        guard headers["content-type"] == "application/problem+json" else { return nil }
        return (json["type"] as? String)?.split(separator: ":").last.map(String.init)
    }

    /// The body as a value of the caller's type.
    ///
    ///     struct Page: Decodable { var total: Int }
    ///     #expect(try answer.decoded(as: Page.self).total == 12)
    ///
    /// - Throws: `DecodingError` if the body is not JSON, or lacks what the type needs.
    public func decoded<Value: Decodable>(as type: Value.Type) throws -> Value {
        try JSONDecoder().decode(type, from: Data(body))
    }
}
