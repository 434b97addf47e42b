/// Reads the fields of one protobuf message in order.
///
/// The input is not trusted: a length beyond the end, an endless number and an unknown wire type
/// are errors, and nothing beyond the given bytes is read.
struct ProtobufReader {
    /// The content of a field.
    enum Value {
        case number(UInt64)
        case fixed32(UInt32)
        case fixed64(UInt64)
        /// The range of a string, of bytes or of a message.
        case bytes(Range<Int>)
    }

    /// The problem, and the byte at which it occurs.
    struct Fault: Error {
        var place: Int
        var problem: String
    }

    let bytes: [UInt8]
    private(set) var position: Int
    private let end: Int

    /// Reads a message that lies in a range of some bytes.
    init(_ bytes: [UInt8], _ range: Range<Int>) {
        self.bytes = bytes
        position = range.lowerBound
        end = range.upperBound
    }

    /// Returns the next field and its number; `nil` at the end.
    mutating func next() throws(Fault) -> (field: Int, value: Value)? {
        if position == end { return nil }
        let start = position
        let key = try number()
        guard let field = Int(exactly: key >> 3), field > 0, field < 1 << 29 else {
            throw Fault(place: start, problem: "the field number \(key >> 3) is invalid")
        }
        switch key & 7 {
        case 0: return (field, .number(try number()))
        case 1: return (field, .fixed64(try fixed(8)))
        case 2:
            let place = position
            let length = try number()
            guard let count = Int(exactly: length), count <= end - position else {
                throw Fault(
                    place: place,
                    problem: "field \(field) has \(length) bytes, but \(end - position) are left")
            }
            position += count
            return (field, .bytes(position - count..<position))
        case 5: return (field, .fixed32(UInt32(truncatingIfNeeded: try fixed(4))))
        default:
            throw Fault(
                place: start, problem: "field \(field) has the unknown wire type \(key & 7)")
        }
    }

    private mutating func number() throws(Fault) -> UInt64 {
        let start = position
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 70, by: 7) {
            guard position < end else {
                throw Fault(place: start, problem: "a number does not end")
            }
            let byte = bytes[position]
            position += 1
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
        }
        throw Fault(place: start, problem: "a number is longer than ten bytes")
    }

    private mutating func fixed(_ count: Int) throws(Fault) -> UInt64 {
        guard count <= end - position else {
            throw Fault(
                place: position,
                problem: "a value has \(count) bytes, but \(end - position) are left")
        }
        defer { position += count }
        return (0..<count).reduce(0) { $0 | UInt64(bytes[position + $1]) << (8 * UInt64($1)) }
    }
}
