import Crypto
import Foundation
import SystemPackage
import Torch

/// Entries that were committed together, memory-mapped.
///
/// A segment is one safetensors file: `features` `[N, E]` in single precision, `tokens`
/// `[N, P + 1, D_v]` in half precision, and `entries`, the bytes of a JSON array.
struct IndexSegment: Sendable {
    /// Unit-length features `[N, E]`.
    let features: Tensor
    /// Image tokens `[N, P + 1, D_v]`, half precision.
    let tokens: Tensor
    let entries: [IndexEntry]
    /// Rows that no longer count.
    let removed: Set<Int>

    /// Opens a segment that a manifest names.
    ///
    /// - Throws: ``IndexError`` if the file is missing or is not what the manifest says.
    init(
        _ segment: IndexManifest.Segment, model: IndexManifest.Model, directory: FilePath
    ) throws {
        let path = Self.path(segment.name, in: directory)
        let file = try SafetensorsFile(path)
        let size = file.withFileBytes { $0.count }
        guard size == segment.byteCount else {
            throw IndexError.corrupt(path, "\(size) bytes where \(segment.byteCount) belong")
        }
        features = try Tensor(try file.tensor("features"))
        tokens = try Tensor(try file.tensor("tokens"))
        entries = try file.tensor("entries").withUnsafeBytes { bytes in
            do {
                return try JSONDecoder().decode([IndexEntry].self, from: Data(bytes))
            } catch let error as DecodingError {
                throw IndexError.corrupt(path, error.reason)
            }
        }
        removed = Set(segment.removed)
        guard entries.count == segment.count,
            features.shape == [segment.count, model.embeddingWidth],
            tokens.shape == [segment.count, model.tokenCount, model.tokenWidth]
        else {
            throw IndexError.corrupt(
                path,
                "features \(features.shape), tokens \(tokens.shape), \(entries.count) entries"
                    + " do not fit the manifest")
        }
    }

    static func path(_ name: String, in directory: FilePath) -> FilePath {
        directory.appending("segments").appending("\(name).safetensors")
    }

    /// Writes a segment and gives the manifest's line for it.
    static func write(
        _ entries: [IndexEntry], features: Tensor, tokens: Tensor, name: String,
        directory: FilePath
    ) throws -> IndexManifest.Segment {
        let path = path(name, in: directory)
        let json = [UInt8](try JSONEncoder().encode(entries))
        var digest = SHA256()
        var byteCount = 0
        try SafetensorsWriter.write(
            [
                features.entry(named: "features"), tokens.entry(named: "tokens"),
                .init(
                    name: "entries",
                    tensor: StoredTensor(dtype: .uint8, shape: [json.count], bytes: json)),
            ], to: path
        ) { bytes in
            digest.update(bufferPointer: bytes)
            byteCount += bytes.count
        }
        return IndexManifest.Segment(
            name: name, count: entries.count, byteCount: byteCount,
            sha256: digest.finalize().hexadecimal, removed: [])
    }
}

extension Digest {
    /// The digest in lower-case hexadecimal.
    package var hexadecimal: String {
        let digits = Array("0123456789abcdef")
        return String(flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
    }
}
