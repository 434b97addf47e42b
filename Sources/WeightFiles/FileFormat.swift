/// The format of a file, detected by its first bytes and never by its name.
enum FileFormat {
    case empty
    case safetensors
    case zip
    case legacyPyTorch
    case json
    /// A format that cannot be read, with a sentence that describes it.
    case other(String)

    /// The magic number of the format before PyTorch 1.6, which is a pickle.
    static let legacyMagic: [UInt8] = [
        0x80, 0x02, 0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, 0x2E,
    ]

    init(detecting bytes: UnsafeRawBufferPointer) {
        func starts(_ text: String) -> Bool { bytes.starts(with: text.utf8) }
        let length = bytes.count >= 9 ? bytes.loadUnaligned(as: UInt64.self).littleEndian : .max
        if bytes.isEmpty {
            self = .empty
        } else if starts("PK\u{3}\u{4}") {
            self = .zip
        } else if bytes.starts(with: FileFormat.legacyMagic) {
            self = .legacyPyTorch
        } else if length <= UInt64(SafetensorsHeader.maximumByteCount),
            bytes[8] == UInt8(ascii: "{")
        {
            self = .safetensors
        } else if bytes.prefix(64).first(where: { !" \t\r\n".utf8.contains($0) })
            == UInt8(ascii: "{")
        {
            self = .json
        } else {
            self = .other(FileFormat.describe(bytes))
        }
    }

    var description: String {
        switch self {
        case .empty: "it is empty"
        case .safetensors: "it is a safetensors file"
        case .zip: "it is a zip archive"
        case .legacyPyTorch: "it is a PyTorch file"
        case .json: "it is JSON text"
        case .other(let what): what
        }
    }

    private static func describe(_ bytes: UnsafeRawBufferPointer) -> String {
        let start = String(decoding: bytes.prefix(64), as: UTF8.self)
            .drop { $0.isWhitespace }.lowercased()
        if start.hasPrefix("<") {
            return "it is a web page, probably an error page; check the address of the download"
        }
        if start.hasPrefix("version https://git-lfs") {
            return "it is a Git LFS pointer; fetch the file itself with git lfs pull"
        }
        if start.hasPrefix("[") { return "it is JSON text" }
        if bytes.starts(with: [0x1F, 0x8B]) {
            return "it is compressed with gzip; unpack it first"
        }
        if bytes.count >= 262, bytes[257..<262].elementsEqual("ustar".utf8) {
            return
                "it is a tar archive of PyTorch before 0.1.10; save it again with a later PyTorch"
        }
        if bytes[0] == 0x80 { return "it is a Python pickle that torch.save did not write" }
        if bytes.count >= 8, bytes.starts(with: [0x89, 0x48, 0x44, 0x46]) {
            return "it is an HDF5 file"
        }
        return "its first bytes match no known format"
    }
}
