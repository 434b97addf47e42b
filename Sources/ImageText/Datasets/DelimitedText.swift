/// Rows of separated fields, as in RFC 4180, with any common line ending.
struct DelimitedText {
    /// A field's bytes, without the quotes around it.
    struct Field {
        var range: Range<Int>
        /// Whether the field contains doubled quotes.
        var hasQuotes = false
    }

    /// The reason that a row cannot be read, and its line.
    struct Fault: Error {
        let line: Int
        let reason: String
    }

    private let bytes: ArraySlice<UInt8>
    private let separator: UInt8
    private var position: Int
    private var nextLine = 1

    /// The line at which the latest row began, from 1.
    private(set) var line = 0

    init(_ bytes: ArraySlice<UInt8>, separator: UInt8) {
        self.bytes = bytes
        self.separator = separator
        position = bytes.startIndex
    }

    /// Reads the next row that is not blank, and returns whether there was one.
    mutating func next(_ fields: inout [Field]) throws(Fault) -> Bool {
        while position < bytes.endIndex {
            line = nextLine
            fields.removeAll(keepingCapacity: true)
            repeat { fields.append(try field()) } while skipSeparator()
            endLine()
            if fields.count > 1 || !fields[0].range.isEmpty { return true }
        }
        return false
    }

    /// Returns a field's text, or `nil` if it is not UTF-8.
    func text(_ field: Field) -> String? {
        guard field.hasQuotes else {
            return String(validating: bytes[field.range], as: UTF8.self)
        }
        var unquoted: [UInt8] = []
        var isSecond = false
        for byte in bytes[field.range] {
            isSecond = byte == quote && !isSecond
            if !isSecond { unquoted.append(byte) }
        }
        return String(validating: unquoted, as: UTF8.self)
    }

    private var quote: UInt8 { UInt8(ascii: "\"") }

    private mutating func field() throws(Fault) -> Field {
        guard position < bytes.endIndex, bytes[position] == quote else {
            let start = position
            while position < bytes.endIndex, !endsField(bytes[position]) { position += 1 }
            return Field(range: start..<position)
        }
        position += 1
        var field = Field(range: position..<position)
        while position < bytes.endIndex {
            let byte = bytes[position]
            if byte == quote {
                guard position + 1 < bytes.endIndex, bytes[position + 1] == quote else { break }
                field.hasQuotes = true
                position += 1
            } else if byte == UInt8(ascii: "\n") {
                nextLine += 1
            }
            position += 1
        }
        guard position < bytes.endIndex else {
            throw Fault(line: line, reason: "a quote is not closed")
        }
        field.range = field.range.lowerBound..<position
        position += 1
        guard position == bytes.endIndex || endsField(bytes[position]) else {
            throw Fault(line: nextLine, reason: "text follows a closing quote")
        }
        return field
    }

    private func endsField(_ byte: UInt8) -> Bool {
        byte == separator || byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r")
    }

    private mutating func skipSeparator() -> Bool {
        guard position < bytes.endIndex, bytes[position] == separator else { return false }
        position += 1
        return true
    }

    private mutating func endLine() {
        guard position < bytes.endIndex else { return }
        if bytes[position] == UInt8(ascii: "\r"), position + 1 < bytes.endIndex,
            bytes[position + 1] == UInt8(ascii: "\n")
        {
            position += 1
        }
        position += 1
        nextLine += 1
    }
}
