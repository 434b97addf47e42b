/// Reads the samples of one shard, one after another.
///
/// Files that follow each other and share a base name are one sample, as in WebDataset: the key is
/// the path up to the first dot of the file name, the field is the rest in lower case. Files
/// without a dot, those whose names begin with one, and those in folders such as `__meta__` are
/// passed over. Memory is bounded by the largest sample.
///
/// Reading blocks the thread; ``ShardSamples`` is the asynchronous form.
///
/// ```swift
/// var reader = ShardReader(ShardAddress("train-000000.tar"))
/// while let sample = try reader.next() {
///     print(sample.key, try sample.captions())
/// }
/// ```
public struct ShardReader: Sendable {
    /// The number of bytes read at once: many for content, few to pass over it.
    private static let (longBuffer, shortBuffer) = (1 << 18, 1 << 11)

    private let address: ShardAddress
    private let fields: ShardFields
    private let open: @Sendable () throws -> any ShardStream
    private let bufferBytes: Int
    private var tar: TarReader?
    /// The file that begins the next sample.
    private var pending: (member: TarReader.Member, name: Name)?
    private var isFinished = false
    /// A fault that is reported after the last sample before it.
    private var waiting: ShardFault?
    /// The number of samples so far.
    public private(set) var count = 0
    /// The number of links, devices, sparse files and members of unknown kinds so far, none of
    /// which can be read.
    public var skippedMembers: Int { tar?.skipped ?? 0 }

    /// Creates a reader, which opens the shard when the first sample is requested.
    ///
    /// - Parameters:
    ///   - address: The shard.
    ///   - fields: The members to read; by default images, `txt` and `json`.
    ///   - opener: Opens the shard; by default files and commands.
    public init(
        _ address: ShardAddress, fields: ShardFields = ShardFields(),
        opener: ShardOpener = ShardOpener()
    ) {
        self.init(address, fields: fields, countsOnly: false) { try opener.open(address) }
    }

    /// - Parameter countsOnly: Whether most content will be passed over.
    init(
        _ address: ShardAddress, fields: ShardFields, countsOnly: Bool,
        open: @escaping @Sendable () throws -> any ShardStream
    ) {
        self.address = address
        self.fields = fields
        self.open = open
        bufferBytes = countsOnly ? Self.shortBuffer : Self.longBuffer
    }

    /// Returns the next sample, or `nil` at the end of the shard.
    ///
    /// - Throws: ``ShardDamage`` if the shard cannot be opened or read further. The next call
    ///   returns `nil`. A sample in which reading stopped is used if it has image and caption.
    public mutating func next() throws(ShardDamage) -> ShardSample? { try advance(keeping: true) }

    /// Passes over the next sample without reading its content.
    ///
    /// - Returns: Whether there was one.
    /// - Throws: The same as ``next()``.
    mutating func skip() throws(ShardDamage) -> Bool { try advance(keeping: false) != nil }

    private mutating func advance(keeping: Bool) throws(ShardDamage) -> ShardSample? {
        guard !isFinished else {
            if let waiting { throw damage(waiting) }
            return nil
        }
        var sample: Partial?
        do throws(ShardFault) {
            while let (member, name) = try nextFile() {
                if let sample, !sample.accepts(name) {
                    pending = (member, name)
                    return finished(sample)
                }
                if sample == nil {
                    sample = Partial(
                        name,
                        ShardSample(
                            key: name.keyText, shard: address, ordinal: count, fields: fields))
                }
                sample?.seen.append(name.field)
                if keeping, fields.keeps(name.field) {
                    let bytes = try tar?.content(of: member) ?? []
                    sample?.sample.members.append(.init(field: name.field, bytes: bytes))
                }
                // Whether a cut sample counts must not depend on whether its content is kept.
                if !keeping { try tar?.passContent(of: member) }
                sample?.complete.append(name.field)
            }
        } catch {
            isFinished = true
            waiting = error
            if let sample, sample.isUsable(fields) { return finished(sample) }
            throw damage(error)
        }
        isFinished = true
        return sample.map { finished($0) }
    }

    private mutating func damage(_ fault: ShardFault) -> ShardDamage {
        waiting = nil
        return damage(fault.description)
    }

    /// Returns the report of a fault at the place of the last header.
    func damage(_ reason: String) -> ShardDamage {
        ShardDamage(
            shard: address, offset: tar?.headerOffset ?? 0, reason: reason, samples: count)
    }

    private mutating func finished(_ sample: Partial) -> ShardSample {
        count += 1
        return sample.sample
    }

    /// Returns the next file that belongs to a sample.
    private mutating func nextFile() throws(ShardFault) -> (TarReader.Member, Name)? {
        if let (member, name) = pending {
            pending = nil
            return (member, name)
        }
        if tar == nil {
            do {
                tar = TarReader(try open(), bufferBytes: bufferBytes)
            } catch {
                throw ShardFault("\(error)")
            }
        }
        while let member = try tar?.next() {
            if let name = Name(member.name) { return (member, name) }
        }
        return nil
    }
}

/// A sample whose end has not been reached.
private struct Partial {
    private let key: [UInt8]
    var sample: ShardSample
    /// The fields whose headers were read, and those whose content was.
    var seen: [String] = []
    var complete: [String] = []

    init(_ name: Name, _ sample: ShardSample) {
        key = name.key
        self.sample = sample
    }

    /// Whether a file belongs to the sample; a field that it has already begins a new one.
    func accepts(_ name: Name) -> Bool { name.key == key && !seen.contains(name.field) }

    func isUsable(_ fields: ShardFields) -> Bool {
        complete.contains(where: fields.isImage) && complete.contains(where: fields.isCaption)
    }
}

/// A file name, cut into key and field.
private struct Name {
    let key: [UInt8]
    let field: String

    var keyText: String { String(decoding: key, as: UTF8.self) }

    /// Cuts a name; `nil` if the file belongs to no sample.
    init?(_ name: [UInt8]) {
        guard !Self.isMeta(name) else { return nil }
        let slash = name.lastIndex(of: UInt8(ascii: "/")).map { $0 + 1 } ?? 0
        guard let dot = name[slash...].firstIndex(of: UInt8(ascii: ".")), dot > slash else {
            return nil
        }
        key = Array(name[..<dot])
        field = String(decoding: name[(dot + 1)...], as: UTF8.self).lowercased()
    }

    /// Whether the first component of a name begins and ends with `__`.
    private static func isMeta(_ name: [UInt8]) -> Bool {
        let first = name.prefix { $0 != UInt8(ascii: "/") }
        let mark = Array("__".utf8)
        return first.count >= 4 && first.starts(with: mark) && first.suffix(2).elementsEqual(mark)
    }
}
