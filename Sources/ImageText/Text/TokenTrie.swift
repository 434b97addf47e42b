/// A trie over the UTF-8 bytes of tokens, which finds the longest token at a position.
///
/// The keys are bytes rather than `String`, because Swift compares strings by canonical
/// equivalence: a dictionary would confuse a composed with a decomposed "é", and likewise some
/// ideographs.
struct TokenTrie: Sendable {
    /// A slot of an open hash table of edges; `key` is `node << 8 | byte`, or -1 if free.
    private struct Edge {
        var key: Int64 = -1
        var node: Int32 = 0
    }

    private var edges: [Edge]
    private var edgeCount = 0
    /// The token that ends at each node, or -1.
    private var tokens: [Int32]

    /// Creates a trie without tokens.
    ///
    /// - Parameters:
    ///   - roots: The number of separate sets of tokens; root `r` is node `r`.
    ///   - capacity: The expected number of bytes of all tokens.
    init(roots: Int, capacity: Int) {
        var slots = 1024
        while slots < capacity * 2 { slots *= 2 }
        edges = [Edge](repeating: Edge(), count: slots)
        tokens = [Int32](repeating: -1, count: roots)
    }

    /// Adds a token below a root.
    ///
    /// - Returns: The token that already had these bytes, which is kept; otherwise `nil`.
    mutating func insert(_ bytes: some Sequence<UInt8>, token: Int32, root: Int) -> Int32? {
        var node = Int32(root)
        for byte in bytes { node = child(of: node, byte) ?? addChild(to: node, byte) }
        if tokens[Int(node)] >= 0 { return tokens[Int(node)] }
        tokens[Int(node)] = token
        return nil
    }

    /// Returns the token with exactly these bytes.
    func token(_ bytes: some Sequence<UInt8>, root: Int) -> Int32? {
        var node = Int32(root)
        for byte in bytes {
            guard let next = child(of: node, byte) else { return nil }
            node = next
        }
        let token = tokens[Int(node)]
        return token >= 0 ? token : nil
    }

    /// Returns the longest token at the start of `bytes[start...]`, and its end.
    func longestMatch(
        in bytes: [UInt8], from start: Int, root: Int
    ) -> (token: Int32, end: Int)? {
        var node = Int32(root)
        var best: (token: Int32, end: Int)?
        var position = start
        while position < bytes.count, let next = child(of: node, bytes[position]) {
            node = next
            position += 1
            let token = tokens[Int(node)]
            if token >= 0 { best = (token, position) }
        }
        return best
    }

    /// Visits every token at the start of `bytes[start...]` with its end, the shortest first.
    func forEachMatch(
        in bytes: UnsafeBufferPointer<UInt8>, from start: Int, root: Int,
        _ visit: (_ token: Int32, _ end: Int) -> Void
    ) {
        var node = Int32(root)
        var position = start
        while position < bytes.count, let next = child(of: node, bytes[position]) {
            node = next
            position += 1
            let token = tokens[Int(node)]
            if token >= 0 { visit(token, position) }
        }
    }

    private func slot(of key: Int64) -> Int {
        // Fibonacci hashing; the table is at most half full, so the probing is short.
        let hash = UInt64(bitPattern: key) &* 0x9E37_79B9_7F4A_7C15
        var slot = Int(truncatingIfNeeded: hash >> 32) & (edges.count - 1)
        while edges[slot].key != key, edges[slot].key >= 0 { slot = (slot + 1) & (edges.count - 1) }
        return slot
    }

    private func child(of node: Int32, _ byte: UInt8) -> Int32? {
        let key = Int64(node) << 8 | Int64(byte)
        let edge = edges[slot(of: key)]
        return edge.key == key ? edge.node : nil
    }

    private mutating func addChild(to node: Int32, _ byte: UInt8) -> Int32 {
        if edgeCount * 2 >= edges.count {
            let old = edges
            edges = [Edge](repeating: Edge(), count: old.count * 2)
            for edge in old where edge.key >= 0 { edges[slot(of: edge.key)] = edge }
        }
        let key = Int64(node) << 8 | Int64(byte)
        let new = Int32(tokens.count)
        edges[slot(of: key)] = Edge(key: key, node: new)
        edgeCount += 1
        tokens.append(-1)
        return new
    }
}
