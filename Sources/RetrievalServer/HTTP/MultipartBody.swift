/// A form with files (RFC 7578).
struct MultipartBody {
    /// A field of the form.
    struct Part: Sendable, Hashable {
        /// The name of the field.
        let name: String
        /// The client's name for its file, which must not be trusted; nil if the field is not a file.
        let fileName: String?
        let bytes: [UInt8]
    }

    static let maximumParts = 16
    private static let maximumHeader = 4096

    let parts: [Part]

    /// Returns the boundary in a `Content-Type`; nil if it is missing or invalid.
    static func boundary(of contentType: String) -> String? {
        guard let boundary = parameter("boundary", of: contentType) else { return nil }
        let isAllowed =
            (1...70).contains(boundary.utf8.count)
            && boundary.utf8.allSatisfy { (0x20..<0x7F).contains($0) && $0 != UInt8(ascii: "\"") }
        return isAllowed ? boundary : nil
    }

    /// Parses a body.
    ///
    /// - Throws: ``Problem`` if the body is not a complete form, or has more than ``maximumParts``
    ///   fields.
    init(_ body: [UInt8], boundary: String) throws {
        let opening = Array("--\(boundary)".utf8)
        let delimiter = [0x0D, 0x0A] + opening
        // The text before the first delimiter is ignored.
        guard
            var position = body.starts(with: opening)
                ? opening.count
                : Self.find(delimiter, in: body, body.indices).map({ $0 + delimiter.count })
        else { throw Self.broken("it does not contain its boundary") }
        var parts: [Part] = []
        while true {
            if body[position...].starts(with: "--".utf8) { break }
            while position < body.count, body[position] == 0x20 || body[position] == 0x09 {
                position += 1
            }
            guard body[position...].starts(with: [0x0D, 0x0A]) else {
                throw Self.broken("text follows a boundary on the same line")
            }
            position += 2
            guard let end = Self.find(delimiter, in: body, position..<body.count) else {
                throw Self.broken("it ends before its last boundary")
            }
            guard parts.count < Self.maximumParts else {
                throw Self.broken("it has more than \(Self.maximumParts) fields")
            }
            parts.append(try Self.part(body, position..<end))
            position = end + delimiter.count
        }
        self.parts = parts
    }

    private static func broken(_ what: String) -> Problem {
        Problem(.invalidRequest, "the form cannot be read: \(what)")
    }

    private static func part(_ bytes: [UInt8], _ range: Range<Int>) throws -> Part {
        let gap: [UInt8] = [0x0D, 0x0A, 0x0D, 0x0A]
        guard let end = find(gap, in: bytes, range),
            end - range.lowerBound <= maximumHeader
        else { throw broken("a field has no header, or one that is too long") }
        guard let head = String(validating: bytes[range.lowerBound..<end], as: UTF8.self) else {
            throw broken("a field's header is not UTF-8")
        }
        for line in head.split(separator: "\r\n") {
            let pair = line.split(separator: ":", maxSplits: 1)
            guard pair.count == 2, pair[0].lowercased() == "content-disposition" else { continue }
            let value = String(pair[1])
            guard value.lowercased().drop(while: { $0 == " " }).hasPrefix("form-data"),
                let name = parameter("name", of: value)
            else { throw broken("a field has no name") }
            return Part(
                name: name, fileName: parameter("filename", of: value),
                bytes: Array(bytes[end + gap.count..<range.upperBound]))
        }
        throw broken("a field has no Content-Disposition")
    }

    /// Returns the value of `name=value` or `name="value"` after a semicolon.
    private static func parameter(_ name: String, of header: String) -> String? {
        var rest = header[...]
        while let semicolon = rest.firstIndex(of: ";") {
            rest = rest[rest.index(after: semicolon)...].drop { $0 == " " || $0 == "\t" }
            guard let equals = rest.firstIndex(of: "=") else { return nil }
            let key = rest[..<equals].lowercased()
            rest = rest[rest.index(after: equals)...]
            var value = ""
            if rest.first == "\"" {
                rest.removeFirst()
                // Browsers write a quotation mark as %22; some other clients write \".
                while let character = rest.first, character != "\"" {
                    rest.removeFirst()
                    if character == "\\", let escaped = rest.first,
                        escaped == "\"" || escaped == "\\"
                    {
                        value.append(escaped)
                        rest.removeFirst()
                    } else {
                        value.append(character)
                    }
                }
                guard rest.first == "\"" else { return nil }
            } else {
                value = String(rest.prefix { $0 != ";" && $0 != " " })
            }
            if key == name { return value }
        }
        return nil
    }

    /// Returns the position of the first occurrence of a short sequence in a range.
    private static func find(
        _ pattern: [UInt8], in bytes: [UInt8], _ range: Range<Int>
    ) -> Int? {
        bytes.withUnsafeBufferPointer { buffer in
            var position = range.lowerBound
            while position + pattern.count <= range.upperBound {
                guard
                    let start = buffer[position..<range.upperBound].firstIndex(of: pattern[0]),
                    start + pattern.count <= range.upperBound
                else { return nil }
                if buffer[start..<start + pattern.count].elementsEqual(pattern) { return start }
                position = start + 1
            }
            return nil
        }
    }
}
