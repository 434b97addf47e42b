extension IndexManifest {
    /// A graph of approximate recall, and where the rows that it knows are now.
    ///
    /// Its labels count the rows of the segments that there were when it was made. Joining segments
    /// moves and drops rows; the parts say which, so that the graph is kept.
    struct Graph: Codable, Sendable, Equatable {
        var name: String
        var byteCount: Int
        /// SHA-256 of the file, hexadecimal.
        var sha256: String
        /// In the order of their labels.
        var parts: [Part]

        /// Labels that follow one another, for rows of one segment that do.
        struct Part: Codable, Sendable, Equatable {
            /// The segment that has the rows; nil if none of them is left.
            var segment: String?
            /// Number of labels.
            var count: Int
            /// The row of the first label that is left.
            var offset = 0
            /// Labels, counted from the first of this part, whose rows are gone; ascending.
            var dropped: [Int] = []

            /// Labels whose rows are left.
            var living: Int { segment == nil ? 0 : count - dropped.count }

            /// The row of a label, counted from the first of this part; nil if it is gone.
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

        /// Rows that were there when the graph was made.
        var labelCount: Int { parts.reduce(0) { $0 + $1.count } }

        /// How many of the first segments the graph knows.
        ///
        /// - Returns: nil if the parts do not fit the segments.
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

        /// Follows rows whose segments were replaced by one.
        ///
        /// - Parameters:
        ///   - old: segments, whose rows that were not removed became those of the new one, in order.
        ///   - new: its name; nil if no row was left.
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

        /// Forgets the rows of a segment that is lost.
        mutating func forget(_ segment: String) {
            for index in parts.indices where parts[index].segment == segment {
                parts[index].segment = nil
            }
        }
    }

    /// How many of the first segments the graph knows; nil without one that fits.
    var graphSegments: Int? { graph?.covered(segments) }

    /// Puts one segment, or none, in the place of several.
    mutating func replace(_ range: Range<Int>, with new: Segment?) {
        if graphSegments != nil { graph?.follow(segments[range], into: new?.name) }
        segments.replaceSubrange(range, with: new.map { [$0] } ?? [])
    }

    /// The graph of a manifest that an earlier version wrote: over the first segments, whole.
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
    /// How many of the ascending numbers are below one.
    fileprivate func count(below limit: Int) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if self[middle] < limit { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
