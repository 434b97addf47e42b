/// Texts written as one, such as `train-{000..127}.tar` or `{a,b}.tar`.
///
/// Braces nest. A range of numbers keeps leading zeros (`{08..11}`), may count down, and may have a
/// step (`{0..10..2}`); a range of single letters works too. Braces with neither a comma nor a
/// range stay as they are, as in a shell. A backslash before `{`, `}` or `,` takes its meaning away.
struct BracePattern {
    /// The number of texts that a pattern may stand for.
    static let limit = 1_000_000

    private static let (open, close, comma, backslash): (UInt8, UInt8, UInt8, UInt8) = (
        UInt8(ascii: "{"), UInt8(ascii: "}"), UInt8(ascii: ","), UInt8(ascii: "\\")
    )

    /// The pattern has more than ``limit`` texts.
    struct TooMany: Error {}

    /// Returns the texts of a pattern, in the order in which a shell has them.
    static func expand(_ pattern: String) throws(TooMany) -> [String] {
        try expand(Array(pattern.utf8)[...]).map {
            String(decoding: unescaped($0), as: UTF8.self)
        }
    }

    private static func expand(_ pattern: ArraySlice<UInt8>) throws(TooMany) -> [[UInt8]] {
        var results: [[UInt8]] = [[]]
        var position = pattern.startIndex
        while position < pattern.endIndex {
            let byte = pattern[position]
            if byte == open, let group = Group(pattern, from: position) {
                let choices = try group.choices()
                guard results.count * choices.count <= limit else { throw TooMany() }
                results = results.flatMap { start in choices.map { start + $0 } }
                position = group.end
                continue
            }
            let count = byte == backslash && position + 1 < pattern.endIndex ? 2 : 1
            let piece = pattern[position..<position + count]
            for index in results.indices { results[index] += piece }
            position += count
        }
        return results
    }

    private static func unescaped(_ text: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        var position = 0
        while position < text.count {
            let isEscape =
                text[position] == backslash && position + 1 < text.count
                && [open, close, comma].contains(text[position + 1])
            if isEscape { position += 1 }
            result.append(text[position])
            position += 1
        }
        return result
    }

    /// A pair of braces that stands for several texts.
    private struct Group {
        /// The position behind the closing brace.
        let end: Int
        private let parts: [ArraySlice<UInt8>]
        private let range: [[UInt8]]?

        /// Reads the group that begins at a brace; `nil` if it has no end, no comma and no range.
        init?(_ text: ArraySlice<UInt8>, from start: Int) {
            var depth = 0
            var parts: [ArraySlice<UInt8>] = []
            var (position, partStart) = (start, start + 1)
            scan: while position < text.endIndex {
                switch text[position] {
                case backslash: position += 1
                case open: depth += 1
                case comma where depth == 1:
                    parts.append(text[partStart..<position])
                    partStart = position + 1
                case close:
                    depth -= 1
                    if depth == 0 { break scan }
                default: break
                }
                position += 1
            }
            guard position < text.endIndex else { return nil }
            parts.append(text[partStart..<position])
            end = position + 1
            self.parts = parts
            range = parts.count == 1 ? Self.range(parts[0]) : nil
            if parts.count == 1, range == nil { return nil }
        }

        func choices() throws(TooMany) -> [[UInt8]] {
            if let range {
                guard range.count <= limit else { throw TooMany() }
                return range
            }
            var choices: [[UInt8]] = []
            for part in parts {
                choices += try BracePattern.expand(part)
                guard choices.count <= limit else { throw TooMany() }
            }
            return choices
        }

        /// Returns the texts of a range; one more than the limit if there are more.
        private static func range(_ text: ArraySlice<UInt8>) -> [[UInt8]]? {
            let fields = String(decoding: text, as: UTF8.self).split(
                separator: "..", omittingEmptySubsequences: false)
            guard fields.count == 2 || fields.count == 3 else { return nil }
            var step = 1
            if fields.count == 3 {
                guard let given = Int(fields[2]), given != 0, given.magnitude < 1 << 62 else {
                    return nil
                }
                step = abs(given)
            }
            if let first = Int(fields[0]), let last = Int(fields[1]),
                first.magnitude < 1 << 62, last.magnitude < 1 << 62
            {
                let isPadded = fields[..<2].contains {
                    $0.drop { $0 == "-" }.hasPrefix("0") && $0.drop { $0 == "-" }.count > 1
                }
                let width = isPadded ? max(fields[0].utf8.count, fields[1].utf8.count) : 0
                return values(first, last, step).map { Array(padded($0, to: width).utf8) }
            }
            guard fields[0].utf8.count == 1, fields[1].utf8.count == 1,
                let first = fields[0].utf8.first, let last = fields[1].utf8.first,
                [first, last].allSatisfy({ Character(UnicodeScalar($0)).isLetter })
            else { return nil }
            return values(Int(first), Int(last), step).map { [UInt8($0)] }
        }

        private static func values(_ first: Int, _ last: Int, _ step: Int) -> [Int] {
            Array(
                stride(from: first, through: last, by: first <= last ? step : -step)
                    .prefix(limit + 1))
        }

        private static func padded(_ number: Int, to width: Int) -> String {
            let digits = String(number.magnitude)
            let sign = number < 0 ? "-" : ""
            let zeros = max(0, width - digits.utf8.count - sign.utf8.count)
            return sign + String(repeating: "0", count: zeros) + digits
        }
    }
}
