/// The records that POSIX's form of tar puts before a member: `LENGTH KEY=VALUE` and a line feed.
struct PaxRecords {
    /// The name of the member; `nil` if it fits the header.
    private(set) var path: [UInt8]?
    /// The length of the member in bytes; `nil` if it fits the header.
    private(set) var size: Int64?
    /// Whether the member's content is a sparse file, which has to be put together.
    private(set) var isSparse = false

    /// No records.
    init() {}

    /// Reads records.
    ///
    /// - Throws: ``ShardFault`` if they do not have the form.
    init(_ bytes: [UInt8]) throws(ShardFault) {
        var rest = bytes[...].prefix { $0 != 0 }
        while !rest.isEmpty {
            let digits = rest.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            guard (1...9).contains(digits.count),
                let count = Int(String(decoding: digits, as: UTF8.self)),
                count > digits.count + 2, count <= rest.count
            else { throw ShardFault("an extended header has a record of the wrong length") }
            let record = rest.prefix(count)
            let body = record.dropFirst(digits.count + 1).dropLast()
            guard record[digits.endIndex] == UInt8(ascii: " "), record.last == UInt8(ascii: "\n"),
                let equals = body.firstIndex(of: UInt8(ascii: "="))
            else { throw ShardFault("an extended header has a record that is not KEY=VALUE") }
            let key = String(decoding: body[..<equals], as: UTF8.self)
            let value = body[(equals + 1)...]
            switch key {
            case "path": path = Array(value)
            case "size":
                guard value.count <= 16, let number = Int64(String(decoding: value, as: UTF8.self)),
                    number >= 0
                else { throw ShardFault("an extended header has a size that is no number") }
                size = number
            case _ where key.hasPrefix("GNU.sparse."): isSparse = true
            default: break
            }
            rest = rest.dropFirst(count)
        }
    }
}
