import Foundation
import Storage
import SystemPackage
import Torch
import WeightFiles

/// The entries of a segment, which are parsed on access.
struct EntryTable: Sendable {
    private enum Form: Sendable {
        case lazy(bytes: StoredTensor, ends: StoredTensor)
        /// The entries of a segment of format 1.
        case parsed([IndexEntry])
    }

    private let form: Form
    private let path: FilePath
    /// The new paths of the files, if they were moved together with the index.
    var relocation: Relocation?

    /// Creates a table of entries whose JSON is concatenated.
    ///
    /// - Parameters:
    ///   - bytes: The JSON of all entries.
    ///   - ends: The offset of each entry's end, int64.
    ///   - path: The segment's file, for errors.
    init(bytes: StoredTensor, ends: StoredTensor, path: FilePath) {
        form = .lazy(bytes: bytes, ends: ends)
        self.path = path
    }

    /// Creates a table of entries in one JSON array.
    ///
    /// - Throws: ``IndexError`` if it is not an array of `count` entries.
    init(parsing array: StoredTensor, count: Int, path: FilePath) throws {
        let entries = try Self.decode([IndexEntry].self, array.withUnsafeBytes { Data($0) }, path)
        guard entries.count == count else {
            throw IndexError.corrupt(
                path, "has \(entries.count) entries, but the manifest says \(count)")
        }
        form = .parsed(entries)
        self.path = path
    }

    /// Returns the entry of a row.
    ///
    /// - Throws: ``IndexError`` if its bytes are damaged, or the row does not exist.
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

    /// Passes the JSON of an entry to a closure.
    ///
    /// - Throws: ``IndexError`` if the entry lies outside the table or is damaged; the errors of
    ///   `body`.
    func withBytes<Result>(
        _ row: Int, _ body: (UnsafeRawBufferPointer) throws -> Result
    ) throws -> Result {
        guard relocation != nil else { return try withStoredBytes(row, body) }
        return try IndexEntry.encoder.encode(entry(row)).withUnsafeBytes(body)
    }

    /// Passes the stored JSON of an entry to a closure.
    ///
    /// - Throws: ``IndexError`` if the entry lies outside the table; the errors of `body`.
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

    /// Returns the error for a row that does not exist.
    func missing(_ row: Int) -> IndexError {
        IndexError.corrupt(path, "entry \(row) does not exist")
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
