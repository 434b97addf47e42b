extension IndexManifest {
    /// A graph for approximate recall, with the current places of its rows.
    ///
    /// The graph's labels number the rows of the segments that existed when it was built. Joining
    /// segments moves and drops rows. The parts record this, so the graph stays usable.
    struct Graph: Codable, Sendable, Equatable {
        var name: String
        var byteCount: Int
        /// SHA-256 of the file, hexadecimal.
        var sha256: String
        /// The parts, in the order of their labels.
        var parts: [Part]

        /// Consecutive labels of consecutive rows in one segment.
        struct Part: Codable, Sendable, Equatable {
            /// The segment that contains the rows; nil if none of them is left.
            var segment: String?
            /// The number of labels.
            var count: Int
            /// The row of the first remaining label.
            var offset = 0
            /// The labels, counted from the first of this part, whose rows were removed; ascending.
            var dropped: [Int] = []

            /// The number of labels whose rows remain.
            var living: Int { segment == nil ? 0 : count - dropped.count }

            /// Returns the row of a label, counted from the first of this part, or nil if it was
            /// removed.
            func row(_ label: Int) -> Int? {
                guard segment != nil else { return nil }
                let before = dropped.count(below: label)
                if before < dropped.count, dropped[before] == label { return nil }
                return offset + label - before
            }
        }

        enum CodingKeys: String, CodingKey {
            case name
            case byteCount = "byte_count"
            case sha256, parts
        }

        /// The number of rows when the graph was built.
        var labelCount: Int { parts.reduce(0) { $0 + $1.count } }

        /// Returns the number of leading segments that the graph covers.
        ///
        /// - Returns: Nil if the parts do not fit the segments.
        func covered(_ segments: [Segment]) -> Int? {
            let named = Set(parts.compactMap(\.segment))
            let counts = Dictionary(
                segments.prefix(named.count).map { ($0.name, $0.count) },
                uniquingKeysWith: { first, _ in first })
            let fits = parts.allSatisfy { part in
                let isAscending = zip(part.dropped, part.dropped.dropFirst()).allSatisfy(<)
                guard (0...1 << 40).contains(part.count), part.offset >= 0, isAscending,
                    (part.dropped.first ?? 0) >= 0, (part.dropped.last ?? -1) < part.count
                else { return false }
                guard let segment = part.segment else { return true }
                return counts[segment].map { part.living <= $0 - part.offset } ?? false
            }
            return fits ? named.count : nil
        }

        /// Updates the parts after several segments were joined into one.
        ///
        /// - Parameters:
        ///   - old: The joined segments, whose remaining rows became the rows of the new one, in
        ///     order.
        ///   - new: The name of the new segment; nil if no row remained.
        mutating func follow(_ old: some Collection<Segment>, into new: String?) {
            var start = 0
            for segment in old {
                let removed = Set(segment.removed)
                for index in parts.indices where parts[index].segment == segment.name {
                    parts[index].drop(removed)
                    parts[index].offset += start
                    parts[index].segment = parts[index].living > 0 ? new : nil
                }
                start += segment.count - removed.count
            }
        }

        /// Discards the rows of a lost segment.
        mutating func forget(_ segment: String) {
            for index in parts.indices where parts[index].segment == segment {
                parts[index].segment = nil
            }
        }
    }

    /// The number of leading segments that the graph covers; nil without a graph that fits.
    var graphSegments: Int? { graph?.covered(segments) }

    /// Replaces several segments by one or none.
    mutating func replace(_ range: Range<Int>, with new: Segment?) {
        if graphSegments != nil { graph?.follow(segments[range], into: new?.name) }
        segments.replaceSubrange(range, with: new.map { [$0] } ?? [])
    }

    /// The graph in a manifest of an earlier version, which covers complete leading segments.
    struct FirstGraph: Decodable {
        var name: String
        var byteCount: Int
        var sha256: String
        var segments: [String]

        enum CodingKeys: String, CodingKey {
            case name
            case byteCount = "byte_count"
            case sha256, segments
        }

        func graph(over segments: [Segment]) -> Graph {
            let counts = Dictionary(
                segments.map { ($0.name, $0.count) }, uniquingKeysWith: { first, _ in first })
            return Graph(
                name: name, byteCount: byteCount, sha256: sha256,
                parts: self.segments.map { .init(segment: $0, count: counts[$0] ?? 0) })
        }
    }
}

extension IndexManifest.Graph.Part {
    /// Drops the labels of rows that are removed from the segment.
    fileprivate mutating func drop(_ removed: Set<Int>) {
        guard !removed.isEmpty else { return }
        var gone: [Int] = []
        var earlier = dropped[...]
        var row = offset
        for label in 0..<count {
            if earlier.first == label {
                earlier.removeFirst()
                gone.append(label)
                continue
            }
            if removed.contains(row) { gone.append(label) }
            row += 1
        }
        offset -= removed.count { $0 < offset }
        dropped = gone
    }
}

extension [Int] {
    /// Returns how many of the ascending numbers are less than a limit.
    fileprivate func count(below limit: Int) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if self[middle] < limit { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
