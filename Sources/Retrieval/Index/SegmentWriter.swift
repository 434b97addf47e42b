import Foundation
import Storage
import SystemPackage
import Torch
import WeightFiles

/// Writes segments: new entries, or rows of other segments.
enum SegmentWriter {
    /// The entries of a segment with their vectors.
    struct Rows {
        /// The entries, one per row.
        var entries: [IndexEntry]
        /// The features `[N, E]`, in single precision.
        var features: Tensor
        /// The tokens; nil if the index stores none.
        var tokens: PackedTokens?
    }

    /// Writes new entries as a segment and returns its record for the manifest.
    ///
    /// - Throws: ``IndexError`` if a digest is invalid; an error of the file system.
    static func write(
        _ rows: Rows, name: String, directory: FilePath
    ) throws -> IndexManifest.Segment {
        let encoder = IndexEntry.encoder
        var (json, ends, digests): ([UInt8], [Int], [UInt8]) = ([], [], [])
        var tables = SegmentTables(rowCount: rows.entries.count)
        for entry in rows.entries {
            tables.add(EntrySummary(entry))
            json += try encoder.encode(entry)
            ends.append(json.count)
            guard let digest = ContentDigest(hexadecimal: entry.sha256) else {
                throw IndexError.badDigest(entry.path, entry.sha256)
            }
            digests += digest.bytes
        }
        let count = rows.entries.count
        let codes = FeatureCodes.make(rows.features)
        var tensors = [
            rows.features.entry(named: "features"), codes.values.entry(named: "codes"),
            codes.scales.entry(named: "code_scales"), codes.errors.entry(named: "code_errors"),
            bytes("digests", [count, ContentDigest.byteCount], digests),
            Tensor(ends).entry(named: "entry_ends"), bytes("entries", [json.count], json),
        ]
        tensors += try tables.tensors()
        if let tokens = rows.tokens {
            tensors.append(tokens.values.entry(named: "tokens"))
            if let scales = tokens.scales { tensors.append(scales.entry(named: "token_scales")) }
            if let weights = tokens.weights {
                tensors.append(weights.entry(named: "token_weights"))
            }
        }
        return try write(tensors, count: count, name: name, directory: directory)
    }

    /// Copies rows of other segments, one at a time, and returns the new segment's record for the
    /// manifest.
    ///
    /// - Throws: ``IndexError`` if a row is damaged; an error of the file system.
    static func copy(
        _ rows: [(segment: IndexSegment, row: Int)], manifest: IndexManifest, name: String,
        directory: FilePath
    ) throws -> IndexManifest.Segment {
        let (count, model) = (rows.count, manifest.model)
        var ends: [Int] = []
        var tables = SegmentTables(rowCount: count)
        for (segment, row) in rows {
            tables.add(try segment.summary(row))
            ends.append((ends.last ?? 0) + (try segment.withEntryBytes(row) { $0.count }))
        }
        func perRow(
            _ name: String, _ dtype: DType, _ shape: [Int],
            _ tensor: @escaping (IndexSegment, Int) throws -> Tensor?
        ) -> SafetensorsWriter.Entry {
            .init(name: name, dtype: dtype, shape: [count] + shape) { sink in
                for (segment, row) in rows {
                    guard let tensor = try tensor(segment, row) else {
                        throw IndexError.corrupt(segment.path, "row \(row) has no '\(name)'")
                    }
                    try tensor.contiguous().withUnsafeBytes(sink)
                }
            }
        }
        func codes(
            _ name: String, _ dtype: DType, _ shape: [Int],
            _ part: @escaping (FeatureCodes.Codes) -> Tensor
        ) -> SafetensorsWriter.Entry {
            perRow(name, dtype, shape) { segment, row in part(try segment.featureCodes(row)) }
        }
        var tensors = [
            perRow("features", .float32, [model.embeddingWidth]) { try $0.feature($1) },
            codes("codes", .int8, [model.embeddingWidth], \.values),
            codes("code_scales", .float32, [], \.scales),
            codes("code_errors", .float32, [], \.errors),
            bytes(
                "digests", [count, ContentDigest.byteCount],
                try rows.flatMap { try $0.segment.digest($0.row).bytes }),
            Tensor(ends).entry(named: "entry_ends"),
            .init(name: "entries", dtype: .uint8, shape: [ends.last ?? 0]) { sink in
                for (segment, row) in rows { try segment.withEntryBytes(row, sink) }
            },
        ]
        tensors += try tables.tensors()
        let kept = manifest.tokens.kept(of: model.tokenCount)
        if kept > 0 {
            let isInt8 = manifest.tokens.precision == .int8
            tensors.append(
                perRow("tokens", isInt8 ? .int8 : .float16, [kept, model.tokenWidth]) {
                    $0.tokens($1)?.values
                })
            if isInt8 {
                tensors.append(
                    perRow("token_scales", .float32, [kept]) { $0.tokens($1)?.scales })
            }
            if kept < model.tokenCount {
                tensors.append(
                    perRow("token_weights", .float32, [kept]) { $0.tokens($1)?.weights })
            }
        }
        return try write(tensors, count: count, name: name, directory: directory)
    }

    private static func bytes(
        _ name: String, _ shape: [Int], _ bytes: [UInt8]
    ) -> SafetensorsWriter.Entry {
        .init(name: name, tensor: StoredTensor(dtype: .uint8, shape: shape, bytes: bytes))
    }

    private static func write(
        _ tensors: [SafetensorsWriter.Entry], count: Int, name: String, directory: FilePath
    ) throws -> IndexManifest.Segment {
        var digest = SHA256()
        var byteCount = 0
        let path = IndexSegment.path(name, in: directory)
        try SafetensorsWriter.write(tensors, to: path) { bytes in
            digest.update(bytes)
            byteCount += bytes.count
        }
        return IndexManifest.Segment(
            name: name, count: count, byteCount: byteCount,
            sha256: digest.finished().hexadecimal, removed: [],
            directory: String(validating: directory.absolute))
    }
}
