import Storage
import SystemPackage
import Torch

extension PyTorchCheckpoint {
    /// Reads the format of PyTorch before 1.6.
    ///
    /// The file starts with five pickles: a magic number, the version of the format, facts about
    /// the machine, the object, and the keys of its storages. For each key, in that order, the
    /// number of elements (8 bytes) and the elements follow, in little-endian byte order.
    static func readLegacy(_ file: MappedFile) throws -> CheckpointValue {
        try file.withUnsafeBytes { bytes in
            var cursor = ByteCursor(bytes, file: file.path)
            _ = try cursor.take(FileFormat.legacyMagic.count, "the magic number")
            let version = try pickle(&cursor)
            guard version.root.int == 1001 else {
                throw FileError(
                    file.path,
                    .unsupported(
                        "its version of the format from before PyTorch 1.6 is unknown; load it and"
                            + " save it again with a later PyTorch"))
            }
            _ = try pickle(&cursor)
            let object = try pickle(&cursor)
            let keys = try pickle(&cursor)
            guard case .list(let list) = keys.root else {
                throw FileError(file.path, .malformed("the list of storages is missing"))
            }
            var storages: [String: TensorStorage] = [:]
            for value in keys.arena.sequences[list] {
                guard let key = value.string, let reference = object.storages[key] else {
                    throw FileError(
                        file.path, .malformed("the list of storages has one that no tensor uses"))
                }
                let what = "storage \(key)"
                let size = reference.dtype?.byteCount ?? 1
                guard try cursor.size(what) == reference.elementCount,
                    reference.elementCount <= cursor.remaining / size
                else {
                    throw FileError(
                        file.path,
                        .truncated(
                            what: what, needed: reference.elementCount.clampedProduct(size),
                            available: cursor.remaining))
                }
                let count = reference.elementCount * size
                let region = TensorStorage(file: file, offset: cursor.offset, byteCount: count)
                _ = try cursor.take(count, what)
                // The data starts directly after the pickles, so it may be misaligned.
                storages[key] = region?.aligned(to: reference.dtype?.byteCount ?? 8)
            }
            return try build(object, storages, file: file.path)
        }
    }

    /// Runs one pickle, whose length must not exceed the limit.
    private static func pickle(_ cursor: inout ByteCursor) throws -> Pickled {
        let end = cursor.offset + min(cursor.remaining, maximumPickle)
        var limited = ByteCursor(
            UnsafeRawBufferPointer(rebasing: cursor.bytes[..<end]), file: cursor.file,
            offset: cursor.offset)
        let pickled = try PickleMachine.run(&limited)
        _ = try cursor.take(limited.offset - cursor.offset, "a pickle")
        return pickled
    }
}

extension Int {
    /// Returns the product, or the largest integer if the product overflows.
    func clampedProduct(_ other: Int) -> Int {
        let (product, overflow) = multipliedReportingOverflow(by: other)
        return overflow ? .max : product
    }
}
