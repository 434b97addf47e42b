import WeightFiles
import Foundation
import SystemPackage
import Torch

/// The entries of a segment, each parsed when it is asked for.
struct EntryTable: Sendable {
    private enum Form: Sendable {
        case lazy(bytes: StoredTensor, ends: StoredTensor)
        /// Segments of format 1.
        case parsed([IndexEntry])
    }

    private let form: Form
    private let path: FilePath
    /// Where the files of the entries are, if they were moved with the index.
    var relocation: Relocation?

    /// Entries whose JSON stands one after another.
    ///
    /// - Parameters:
    ///   - bytes: all of it.
    ///   - ends: where each ends, int64.
    init(bytes: StoredTensor, ends: StoredTensor, path: FilePath) {
        form = .lazy(bytes: bytes, ends: ends)
        self.path = path
    }

    /// Entries in one JSON array.
    ///
    /// - Throws: ``IndexError`` if it is not one of `count` entries.
    init(parsing array: StoredTensor, count: Int, path: FilePath) throws {
        let entries = try Self.decode([IndexEntry].self, array.withUnsafeBytes { Data($0) }, path)
        guard entries.count == count else {
            throw IndexError.corrupt(path, "\(entries.count) entries where \(count) belong")
        }
        form = .parsed(entries)
        self.path = path
    }

    /// The entry of a row.
    ///
    /// - Throws: ``IndexError`` if its bytes are damaged, or there is no such row.
    func entry(_ row: Int) throws -> IndexEntry {
        var entry = try storedEntry(row)
        if let relocation { entry.path = relocation(entry.path) }
        return entry
    }

    private func storedEntry(_ row: Int) throws -> IndexEntry {
        switch form {
        case .parsed(let entries):
            guard entries.indices.contains(row) else { throw missing(row) }
            return entries[row]
        case .lazy:
            return try withStoredBytes(row) { try Self.decode(IndexEntry.self, Data($0), path) }
        }
    }

    /// The JSON of an entry.
    ///
    /// - Throws: ``IndexError`` if it lies outside the entries or is damaged; what `body` throws.
    func withBytes<Result>(
        _ row: Int, _ body: (UnsafeRawBufferPointer) throws -> Result
    ) throws -> Result {
        guard relocation != nil else { return try withStoredBytes(row, body) }
        return try IndexEntry.encoder.encode(entry(row)).withUnsafeBytes(body)
    }

    /// The JSON of an entry as it was written.
    ///
    /// - Throws: ``IndexError`` if it lies outside the entries; what `body` throws.
    private func withStoredBytes<Result>(
        _ row: Int, _ body: (UnsafeRawBufferPointer) throws -> Result
    ) throws -> Result {
        switch form {
        case .parsed(let entries):
            guard entries.indices.contains(row) else { throw missing(row) }
            return try IndexEntry.encoder.encode(entries[row]).withUnsafeBytes(body)
        case .lazy(let bytes, let ends):
            guard (0..<ends.elementCount).contains(row) else { throw missing(row) }
            return try withExtendedLifetime((bytes.storage, ends.storage)) {
                func end(_ row: Int) -> Int {
                    guard row >= 0 else { return 0 }
                    return Int(
                        ends.unsafeBaseAddress.load(fromByteOffset: row * 8, as: Int64.self))
                }
                let (start, end) = (end(row - 1), end(row))
                guard 0 <= start, start <= end, end <= bytes.byteCount else {
                    throw IndexError.corrupt(path, "entry \(row) lies outside the entries")
                }
                return try body(
                    UnsafeRawBufferPointer(
                        start: bytes.unsafeBaseAddress + start, count: end - start))
            }
        }
    }

    /// What asking for a row that is not there throws.
    func missing(_ row: Int) -> IndexError {
        IndexError.corrupt(path, "there is no entry \(row)")
    }

    private static func decode<Value: Decodable>(
        _ type: Value.Type, _ data: Data, _ path: FilePath
    ) throws -> Value {
        do {
            return try JSONDecoder().decode(type, from: data)
        } catch let error as DecodingError {
            throw IndexError.corrupt(path, error.reason)
        }
    }
}
