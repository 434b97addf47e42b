import Crypto
import Torch

extension SHA256 {
    /// The digest so far, in hexadecimal.
    func hexadecimal() -> String {
        finalize().map { byte in
            let digits = String(byte, radix: 16)
            return byte < 16 ? "0\(digits)" : digits
        }.joined()
    }

    /// Digest of a whole file.
    static func ofFile(_ file: SafetensorsFile) -> String {
        var digest = SHA256()
        file.withFileBytes { digest.update(bufferPointer: $0) }
        return digest.hexadecimal()
    }
}
