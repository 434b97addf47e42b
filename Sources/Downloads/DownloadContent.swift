import Storage
import WeightFiles
import SystemPackage
import Torch

/// What a downloaded file has to be.
public enum DownloadContent: Sendable, Hashable {
    /// Whatever the server sends.
    case anything
    /// A whole PyTorch or safetensors file: mirrors and proxies answer with web pages too.
    case checkpoint
    /// A JSON document.
    case document
    /// A vocabulary, merges or the like: anything that is not empty, a web page or a JSON document.
    case text

    /// What it is called.
    var name: String {
        switch self {
        case .anything: "file"
        case .checkpoint: "checkpoint"
        case .document: "JSON document"
        case .text: "vocabulary"
        }
    }

    /// What is wrong with a file, in words; nil if it may be what it has to be.
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

    /// Looks at both ends alone: a tokenizer's document has tens of megabytes.
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
            return isDocument ? nil : "it starts with '\(head.prefix(12))' or is cut off"
        }
        return isDocument && body[start] == UInt8(ascii: "{") ? "it is a JSON document" : nil
    }

    private static let spaces: Set<UInt8> = [0x20, 0x09, 0x0A, 0x0D]
}
