import Foundation
import Storage
import SystemPackage
import Torch
import WeightFiles

/// Entries that were committed together, in a memory-mapped file; opening it reads no entry.
///
/// A segment is one safetensors file of N rows. Segments of format 1 have only features, tokens and
/// `entries`, a JSON array.
///
///     features        [N, E]       float32, unit length
///     codes           [N, E]       int8, the features rounded; code_scales and code_errors [N]
///     tokens          [N, n, D_v]  float16 or int8; absent where none are kept
///     token_scales    [N, n]       float32, with int8
///     token_weights   [N, n]       float32, with merged tokens
///     digests         [N, 32]      SHA-256 of every file
///     entry_ends      [N]          int64, where each entry's JSON ends in entries
///     entries         [bytes]      JSON of every entry, one after another
///     keys            [N]          int64, the beginnings of the entries' keys, sorted
///     key_rows        [N]          int32, the row of each key
///     columns         [n]          int64, metadata and fields by name; see `MetadataColumns`
///     column_table    [bytes]      JSON that says where each column is
///
/// Segments that earlier versions wrote have no keys and columns.
struct IndexSegment: Sendable {
    /// The record of the segment in the manifest.
    private(set) var record: IndexManifest.Segment
    /// The path of the file.
    let path: FilePath
    /// The unit-length features `[N, E]`.
    let features: StoredTensor
    /// The features in 8 bits; nil in segments of format 1.
    let codes: Codes?
    /// The rows that were removed.
    private(set) var removed: Set<Int>
    /// The same rows, ascending.
    private(set) var removedRows: [Int]
    /// The metadata of all rows, for filters; opened or made on first use.
    let columns: LazyColumns
    let storedKeys: KeyTable?
    let storedTables: (columns: StoredTensor, table: StoredTensor)?
    private let tokens: Tensor?
    private let tokenScales: Tensor?
    private let tokenWeights: Tensor?
    private let digests: StoredTensor?
    private var table: EntryTable

    /// The codes of all rows, as ``FeatureCodes`` makes them.
    struct Codes: Sendable {
        let values, scales, errors: StoredTensor
    }

    /// The number of rows, removed ones included.
    var count: Int { record.count }

    /// Opens a segment that a manifest names.
    ///
    /// - Throws: ``IndexError`` if the file is missing or differs from the manifest.
    init(
        _ record: IndexManifest.Segment, manifest: IndexManifest, directory: FilePath
    ) throws {
        do {
            try self.init(opening: record, manifest: manifest, directory: directory)
            if let former = record.directory, FilePath(former) != directory.absolute {
                table.relocation = Relocation(
                    from: FilePath(former), to: directory.absolute,
                    paths: (0..<count).lazy.filter { [removed] in !removed.contains($0) }
                        .compactMap { [table] in try? table.entry($0).path })
            }
        } catch let error as FileError {
            let path = Self.path(record.name, in: directory)
            let isThere = FileManager.default.fileExists(atPath: path.string)
            throw IndexError.corrupt(path, isThere ? error.reason : "the file is missing")
        }
    }

    /// Opens a segment.
    ///
    /// - Throws: ``IndexError`` if the file differs from the manifest; `FileError` if it cannot be
    ///   read.
    private init(
        opening record: IndexManifest.Segment, manifest: IndexManifest, directory: FilePath
    ) throws {
        self.record = record
        path = Self.path(record.name, in: directory)
        removed = Set(record.removed)
        removedRows = record.removed.sorted()
        columns = LazyColumns()
        let file = try SafetensorsFile(path)
        let size = file.withFileBytes { $0.count }
        guard size == record.byteCount else {
            throw IndexError.corrupt(
                path, "has \(size) bytes, but the manifest says \(record.byteCount)")
        }
        let (rows, model) = (record.count, manifest.model)
        let reader = Reader(file: file, path: path)
        features = try reader.tensor("features", [rows, model.embeddingWidth], [.float32])
        let entries = try reader.tensor("entries", nil, [.uint8])
        guard let ends = try reader.optional("entry_ends", [rows], [.int64]) else {
            // Format 1.
            table = try EntryTable(parsing: entries, count: rows, path: path)
            (codes, digests, tokenScales, tokenWeights) = (nil, nil, nil, nil)
            (storedKeys, storedTables) = (nil, nil)
            let shape = [rows, model.tokenCount, model.tokenWidth]
            tokens = try Tensor(try reader.tensor("tokens", shape, [.float16]))
            return
        }
        table = EntryTable(bytes: entries, ends: ends, path: path)
        digests = try reader.tensor("digests", [rows, 32], [.uint8])
        codes = try Codes(
            values: reader.tensor("codes", features.shape, [.int8]),
            scales: reader.tensor("code_scales", [rows], [.float32]),
            errors: reader.tensor("code_errors", [rows], [.float32]))
        storedKeys = try reader.optional(TableName.keys, [rows], [.int64]).map {
            KeyTable(prefixes: $0, rows: try reader.tensor(TableName.keyRows, [rows], [.int32]))
        }
        storedTables = try reader.optional(TableName.columns, nil, [.int64]).map {
            ($0, try reader.tensor(TableName.columnTable, nil, [.uint8]))
        }
        let kept = manifest.tokens.kept(of: model.tokenCount)
        guard kept > 0 else {
            (tokens, tokenScales, tokenWeights) = (nil, nil, nil)
            return
        }
        let isInt8 = manifest.tokens.precision == .int8
        let type: DType = isInt8 ? .int8 : .float16
        tokens = try Tensor(reader.tensor("tokens", [rows, kept, model.tokenWidth], [type]))
        func perToken(_ name: String, _ isThere: Bool) throws -> Tensor? {
            isThere ? try Tensor(reader.tensor(name, [rows, kept], [.float32])) : nil
        }
        tokenScales = try perToken("token_scales", isInt8)
        tokenWeights = try perToken("token_weights", kept < model.tokenCount)
    }

    /// Whether the paths of its entries are not those in the file, because the index was moved
    /// together with its images.
    var isRelocated: Bool { table.relocation != nil }

    /// Returns this segment as another manifest describes it, or nil if that names another file.
    ///
    /// The checksum decides, because names are reused when an index is deleted and created again.
    func reused(for record: IndexManifest.Segment) -> IndexSegment? {
        let own = self.record
        guard
            (own.name, own.count, own.byteCount, own.sha256)
                == (record.name, record.count, record.byteCount, record.sha256)
        else { return nil }
        var copy = self
        copy.record = record
        copy.removed = Set(record.removed)
        copy.removedRows = record.removed.sorted()
        return copy
    }

    /// Returns the entry of a row.
    ///
    /// - Throws: ``IndexError`` if its bytes are damaged, or the row does not exist.
    func entry(_ row: Int) throws -> IndexEntry { try table.entry(row) }

    /// Passes the JSON of a row's entry to a closure.
    func withEntryBytes<Result>(
        _ row: Int, _ body: (UnsafeRawBufferPointer) throws -> Result
    ) throws -> Result {
        try table.withBytes(row, body)
    }

    /// Returns the SHA-256 of a row's file.
    ///
    /// - Throws: ``IndexError`` if the row does not exist, or a segment of format 1 is damaged.
    func digest(_ row: Int) throws -> ContentDigest {
        guard (0..<count).contains(row) else { throw table.missing(row) }
        guard let digests else {
            let text = try table.entry(row).sha256
            guard let digest = ContentDigest(hexadecimal: text) else {
                throw IndexError.corrupt(path, "'\(text.prefix(80))' is not a SHA-256")
            }
            return digest
        }
        return withExtendedLifetime(digests.storage) {
            ContentDigest(digests.unsafeBaseAddress + row * ContentDigest.byteCount)
        }
    }

    /// Returns the feature `[E]` of a row.
    func feature(_ row: Int) throws -> Tensor { try Tensor(features)[row] }

    /// Returns the 8-bit feature of a row, `[1, E]`, computing it for a segment of format 1.
    func featureCodes(_ row: Int) throws -> FeatureCodes.Codes {
        guard let codes else { return FeatureCodes.make(try feature(row).unsqueezed(0)) }
        let range = row..<row + 1
        return try FeatureCodes.Codes(
            values: Tensor(codes.values)[range], scales: Tensor(codes.scales)[range],
            errors: Tensor(codes.errors)[range])
    }

    /// Returns the tokens `[1, n, D_v]` of a row, or nil if the index stores none.
    func tokens(_ row: Int) -> PackedTokens? {
        guard let tokens else { return nil }
        let range = row..<row + 1
        return PackedTokens(
            values: tokens[range], scales: tokenScales?[range], weights: tokenWeights?[range])
    }

    /// The size of a row's tokens in bytes.
    var tokenByteCount: Int {
        [tokens, tokenScales, tokenWeights].reduce(0) { sum, tensor in
            sum + (tensor.map { $0[0].count * $0.dtype.byteCount } ?? 0)
        }
    }

    static func path(_ name: String, in directory: FilePath) -> FilePath {
        directory.appending("segments").appending("\(name).safetensors")
    }

    /// Reads tensors from the file, and names the file and the tensor in errors.
    private struct Reader {
        let file: SafetensorsFile
        let path: FilePath

        func optional(_ name: String, _ shape: [Int]?, _ types: [DType]) throws -> StoredTensor? {
            file.tensors[name] == nil ? nil : try tensor(name, shape, types)
        }

        func tensor(_ name: String, _ shape: [Int]?, _ types: [DType]) throws -> StoredTensor {
            let tensor = try file.tensor(name)
            guard shape == nil || tensor.shape == shape, types.contains(tensor.dtype) else {
                let expected = types.map { "\($0)" }.joined(separator: " or ")
                throw IndexError.corrupt(
                    path,
                    "'\(name)' is \(tensor.dtype) \(tensor.shape), but the manifest says"
                        + " \(expected)\(shape.map { " \($0)" } ?? "")")
            }
            return tensor
        }
    }
}
