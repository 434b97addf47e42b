import Storage
import SystemPackage
import Torch
import WeightFiles

/// The kind of content that a downloaded file must have.
///
/// Mirrors and proxies sometimes answer with a web page instead of the file.
public enum DownloadContent: Sendable, Hashable {
    /// Any content.
    case anything
    /// A complete PyTorch or safetensors file.
    case checkpoint
    /// A JSON document.
    case document
    /// Text such as a vocabulary: any content that is not empty, a web page or a JSON object.
    case text

    /// The length in bytes of the longest file that is accepted, so that no server fills the disk.
    var maximumBytes: Int64 {
        switch self {
        case .anything, .checkpoint: Self.largestCheckpoint
        case .document, .text: Self.largestDocument
        }
    }

    private static let largestCheckpoint: Int64 = 64 << 30
    private static let largestDocument: Int64 = 256 << 20

    /// The name of the kind in messages.
    var name: String {
        switch self {
        case .anything: "file"
        case .checkpoint: "checkpoint"
        case .document: "JSON document"
        case .text: "vocabulary"
        }
    }

    /// Checks whether a file can have this content.
    ///
    /// - Returns: the fault in words; nil if the check finds none.
    func fault(of path: FilePath) -> String? {
        switch self {
        case .anything: return nil
        case .checkpoint: return TensorFile.fault(of: path)
        case .document, .text: break
        }
        do {
            return try MappedFile(path).withUnsafeBytes(fault)
        } catch {
            return (error as? FileError)?.reason ?? "\(error)"
        }
    }

    /// Checks only both ends, because the document of a tokenizer has tens of megabytes.
    private func fault(_ bytes: UnsafeRawBufferPointer) -> String? {
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        let body = bytes.starts(with: mark) ? bytes.dropFirst(mark.count) : bytes[...]
        guard let start = body.firstIndex(where: { !Self.spaces.contains($0) }),
            let end = body.lastIndex(where: { !Self.spaces.contains($0) })
        else { return "it is empty" }
        let head = String(decoding: body[start...].prefix(16), as: UTF8.self).lowercased()
        if ["<!doctype", "<html", "<?xml", "<head"].contains(where: head.hasPrefix) {
            return "it is a web page"
        }
        let ends = [UInt8(ascii: "{"): UInt8(ascii: "}"), UInt8(ascii: "["): UInt8(ascii: "]")]
        let isDocument = ends[body[start]] == body[end] && start < end
        if self == .document {
            return isDocument ? nil : "it is not complete JSON; it starts with '\(head.prefix(12))'"
        }
        return isDocument && body[start] == UInt8(ascii: "{") ? "it is a JSON document" : nil
    }

    private static let spaces: Set<UInt8> = [0x20, 0x09, 0x0A, 0x0D]
}
