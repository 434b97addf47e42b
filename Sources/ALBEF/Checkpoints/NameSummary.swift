import OrderedCollections

/// A summary of the names of like parameters, as in `blocks.{0-11}.attn.qkv.{weight,bias}`.
enum NameSummary {
    /// Merges names that differ only in numbers and in their last part, and counts each group.
    static func groups(_ names: [String]) -> [(name: String, count: Int)] {
        var groups: OrderedDictionary<String, Group> = [:]
        for name in names {
            var parts = name.split(separator: ".", omittingEmptySubsequences: false).map(
                String.init)
            let last = parts.count > 1 ? parts.removeLast() : ""
            let number = parts.compactMap { Int($0) }.first
            let template = parts.map { Int($0) == nil ? $0 : "#" }.joined(separator: ".")
            groups[template, default: Group()].add(number, last)
        }
        return groups.map { ($1.name(template: $0), $1.count) }
    }

    private struct Group {
        var numbers: Set<Int> = []
        var endings: OrderedSet<String> = []
        var count = 0

        mutating func add(_ number: Int?, _ ending: String) {
            if let number { numbers.insert(number) }
            endings.append(ending)
            count += 1
        }

        func name(template: String) -> String {
            let numbered = template.split(separator: "#", omittingEmptySubsequences: false)
                .joined(separator: "{\(ranges)}")
            if endings == [""] { return numbered }
            let ending = endings.count == 1 ? endings[0] : "{\(endings.joined(separator: ","))}"
            return "\(numbered).\(ending)"
        }

        /// The numbers as ranges, such as "0-5,7".
        private var ranges: String {
            var ranges: [ClosedRange<Int>] = []
            for number in numbers.sorted() {
                if let last = ranges.last, last.upperBound == number - 1 {
                    ranges[ranges.count - 1] = last.lowerBound...number
                } else {
                    ranges.append(number...number)
                }
            }
            return ranges.map { range in
                range.count == 1 ? "\(range.lowerBound)" : "\(range.lowerBound)-\(range.upperBound)"
            }.joined(separator: ",")
        }
    }
}
