/// Reads the files of a tar archive from a stream, in POSIX's and GNU's forms.
///
/// Folders are passed over. Links, devices, sparse files and unknown kinds are passed over and
/// counted. After an error the reader has nothing more.
struct TarReader {
    /// A file in the archive.
    struct Member {
        /// The name as bytes, because it need not be UTF-8.
        let name: [UInt8]
        /// The length of the content in bytes.
        let size: Int64
        /// The offset of the member's first header in the archive.
        let offset: Int64
    }

    /// The length of names and records that are read into memory.
    private static let maximumRecords: Int64 = 1 << 20
    /// The length of a file that is read into memory.
    private static let maximumContent = ImageFile.maximumBytes

    private var input: StreamBuffer
    /// The bytes of the last member that have not been read, its padding included.
    private var unread: Int64 = 0
    private var isFinished = false
    /// The number of links, devices, sparse files and members of unknown kinds so far.
    private(set) var skipped = 0
    /// The offset of the header that is read or was read last.
    private(set) var headerOffset: Int64 = 0
    /// The number of bytes read or passed over so far.
    var offset: Int64 { input.offset }

    /// Creates a reader.
    ///
    /// - Parameters:
    ///   - stream: The archive, from its beginning.
    ///   - bufferBytes: The number of bytes to read at once.
    init(_ stream: any ShardStream, bufferBytes: Int) {
        input = StreamBuffer(stream, byteCount: bufferBytes)
    }

    /// Goes on to the next file.
    ///
    /// - Returns: The file, or `nil` at the end of the archive.
    /// - Throws: ``ShardFault`` if the archive is damaged or cut, or cannot be read.
    mutating func next() throws(ShardFault) -> Member? {
        guard !isFinished else { return nil }
        do throws(ShardFault) {
            let member = try advance()
            if member == nil { isFinished = true }
            return member
        } catch {
            isFinished = true
            throw explained(error)
        }
    }

    /// Returns the content of the member that ``next()`` returned last, once.
    mutating func content(of member: Member) throws(ShardFault) -> [UInt8] {
        guard let count = Int(exactly: member.size), member.size <= Self.maximumContent else {
            isFinished = true
            throw ShardFault(
                "\(Self.shown(member.name)) has \(member.size) bytes, above the limit of"
                    + " \(Self.maximumContent)")
        }
        headerOffset = member.offset
        do throws(ShardFault) {
            let bytes = try input.bytes(count)
            guard bytes.count == count else { throw Self.cut(in: member.name) }
            unread -= member.size
            return bytes
        } catch {
            isFinished = true
            throw explained(error)
        }
    }

    /// Passes over the content of the member that ``next()`` returned last.
    mutating func passContent(of member: Member) throws(ShardFault) {
        headerOffset = member.offset
        do throws(ShardFault) {
            guard try input.skip(member.size) == member.size else {
                throw Self.cut(in: member.name)
            }
            unread -= member.size
        } catch {
            isFinished = true
            throw explained(error)
        }
    }

    /// Adds the reason why the source ended, if it ended too early and knows one.
    private func explained(_ fault: ShardFault) -> ShardFault {
        guard input.isAtEnd else { return fault }
        do throws(ShardFault) {
            try input.finish()
            return fault
        } catch {
            return error.description == fault.description
                ? fault : ShardFault("\(error); the archive \(fault)")
        }
    }

    private mutating func advance() throws(ShardFault) -> Member? {
        try passUnread()
        var longName: [UInt8]?
        var records = PaxRecords()
        var start = offset
        while true {
            guard let header = try header() else { return nil }
            guard let size = records.size ?? header.size else {
                throw ShardFault("a header has a size that is no number")
            }
            let name = records.path ?? longName ?? header.name
            switch header.kind {
            case .longName: longName = try body(size).prefix { $0 != 0 } + []
            case .records: records = try PaxRecords(try body(size))
            case .ignored: try pass(size, of: name)
            case .folder, .other:
                if header.kind == .other { skipped += 1 }
                (longName, records, start) = (nil, PaxRecords(), offset)
            case .file where !records.isSparse:
                unread = Self.padded(size)
                return Member(name: name, size: size, offset: start)
            case .file, .unsupported:
                var isExtended = header.hasSparseExtension
                while isExtended {
                    let more = try input.bytes(TarBlock.byteCount)
                    guard more.count == TarBlock.byteCount else { throw Self.cut(in: name) }
                    isExtended = more[504] != 0
                }
                skipped += 1
                try pass(size, of: name)
                (longName, records, start) = (nil, PaxRecords(), offset)
            }
        }
    }

    /// Returns the next header, or `nil` at the end of the archive.
    private mutating func header() throws(ShardFault) -> TarBlock? {
        headerOffset = offset
        let bytes = try input.bytes(TarBlock.byteCount)
        guard bytes.count == TarBlock.byteCount else {
            throw ShardFault(
                offset == 0
                    ? "is empty"
                    : bytes.isEmpty
                        ? "ends without the two blocks of zeros that end an archive; it was cut"
                        : "ends within a header; it was cut")
        }
        let block = TarBlock(bytes)
        if block.isZero {
            try readEnd()
            return nil
        }
        guard block.isIntact else {
            let isCompressed = headerOffset == 0 && bytes.starts(with: [0x1F, 0x8B])
            throw ShardFault(
                isCompressed
                    ? "is compressed with gzip; unpack it, or read it with pipe:gzip -dc FILE"
                    : headerOffset == 0
                        ? "is not a tar archive: its first header has a wrong checksum"
                        : "a header has a wrong checksum")
        }
        return block
    }

    /// Reads what follows the first block of zeros, which must be zeros to the end.
    private mutating func readEnd() throws(ShardFault) {
        while true {
            let at = offset
            let bytes = try input.bytes(TarBlock.byteCount)
            guard bytes.allSatisfy({ $0 == 0 }) else {
                headerOffset = at
                throw ShardFault("more follows the zeros that end an archive")
            }
            if bytes.count < TarBlock.byteCount { break }
        }
        try input.finish()
    }

    private mutating func passUnread() throws(ShardFault) {
        let count = unread
        unread = 0
        guard count > 0 else { return }
        guard try input.skip(count) == count else {
            throw ShardFault("ends within a file; it was cut")
        }
    }

    private mutating func pass(_ size: Int64, of name: [UInt8]) throws(ShardFault) {
        let count = Self.padded(size)
        guard try input.skip(count) == count else { throw Self.cut(in: name) }
    }

    /// Reads a name or records.
    private mutating func body(_ size: Int64) throws(ShardFault) -> [UInt8] {
        guard size <= Self.maximumRecords else {
            throw ShardFault("an extended header has \(size) bytes, which is too much")
        }
        let bytes = try input.bytes(Int(Self.padded(size)))
        guard bytes.count == Int(Self.padded(size)) else {
            throw ShardFault("ends within an extended header; it was cut")
        }
        return Array(bytes.prefix(Int(size)))
    }

    /// Returns a length rounded up to whole blocks; lengths are far below the limit of the type.
    private static func padded(_ size: Int64) -> Int64 { (size + 511) / 512 * 512 }

    private static func cut(in name: [UInt8]) -> ShardFault {
        ShardFault("ends within \(shown(name)); it was cut")
    }

    private static func shown(_ name: [UInt8]) -> String { String(decoding: name, as: UTF8.self) }
}
