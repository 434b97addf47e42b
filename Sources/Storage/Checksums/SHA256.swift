import CSHA256

/// SHA-256 (FIPS 180-4), computed piece by piece.
package struct SHA256: Sendable {
    private var state = sha256_state()

    /// Creates the digest of no bytes.
    package init() { sha256_begin(&state) }

    /// Appends bytes.
    ///
    /// - Complexity: O(n) for n bytes.
    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        sha256_add(&state, bytes.baseAddress, bytes.count)
    }

    /// Appends bytes.
    ///
    /// - Complexity: O(n) for n bytes.
    package mutating func update(_ bytes: some Sequence<UInt8>) {
        let isContiguous: Void? = bytes.withContiguousStorageIfAvailable {
            update(UnsafeRawBufferPointer($0))
        }
        if isContiguous == nil { Array(bytes).withUnsafeBytes { update($0) } }
    }

    /// Returns the digest of the bytes so far.
    package func finished() -> ContentDigest {
        var copy = state
        var words = SIMD4<UInt64>()
        withUnsafeMutableBytes(of: &words) { sha256_end(&copy, $0.baseAddress) }
        return ContentDigest(words: words)
    }
}
