import ImageText
import Retrieval

/// Random metadata, facts and conditions, among them what is easily compared wrongly.
enum RandomMetadata {
    private static let texts = [
        "", "a", "b", "ab", "Kyoto", "Łódź", "e\u{301}", "é", "日本", "2020", "-0", "x\r\ny", "true",
    ]
    private static let dates = [
        "2020-06-14T12:34:56", "2020-06-14T12:34:57", "2019-01-01T00:00:00", "2021", "2020-06",
        "zwanzig", "",
    ]

    /// Metadata whose kinds differ from row to row, some of it under the names of fields.
    static func metadata(_ generator: inout some RandomNumberGenerator) -> [String: MetadataValue] {
        func value() -> MetadataValue {
            switch Int.random(in: 0..<6, using: &generator) {
            case 0: .flag(Bool.random(using: &generator))
            case 1: .list((0..<Int.random(in: 0..<3, using: &generator)).map { _ in text() })
            case 2:
                .number(
                    [0, -0.0, 1, 2.5, 1e300, -7, 2_147_483_647, -2_147_483_648]
                        .randomElement(using: &generator) ?? 0)
            case 3: .number(Double(Int.random(in: -3...3, using: &generator)))
            default: .text(text())
            }
        }
        func text() -> String { texts.randomElement(using: &generator) ?? "" }
        var result: [String: MetadataValue] = [:]
        for name in ["mixed", "é"] where Bool.random(using: &generator) { result[name] = value() }
        if Bool.random(using: &generator) { result["text"] = .text(text()) }
        if Bool.random(using: &generator) {
            result["number"] = .number(Double(Int.random(in: 0..<9, using: &generator)) / 4)
        }
        if Int.random(in: 0..<9, using: &generator) == 0 {
            result[["date", "width", "folder", "size"].randomElement(using: &generator) ?? ""] =
                value()
        }
        return result
    }

    static func about(_ generator: inout some RandomNumberGenerator) -> ImageFacts? {
        guard Int.random(in: 0..<4, using: &generator) > 0 else { return nil }
        var about = ImageFacts()
        if Bool.random(using: &generator) { about.date = dates.randomElement(using: &generator) }
        if Bool.random(using: &generator) {
            about.width = Int.random(in: 1..<4, using: &generator)
            about.height = Int.random(in: 1..<4, using: &generator)
        }
        if Bool.random(using: &generator) { about.camera = texts.randomElement(using: &generator) }
        if Bool.random(using: &generator) {
            about.latitude = Double.random(in: -90...90, using: &generator)
        }
        return about
    }

    static func filter(_ generator: inout some RandomNumberGenerator) -> MetadataFilter {
        let names = [
            "mixed", "e\u{301}", "text", "number", "absent", "date", "width", "orientation",
            "camera", "latitude", "size", "folder",
        ]
        let values =
            texts + dates + [
                "1", "0.25", "-7", "nan", "inf", "1e300", "2020-06-14", "2020-06-14T12:34:5",
                "/images", "/images/a", "/images/a/", "/", "square", "false", "2147483647",
            ]
        return MetadataFilter(
            names.randomElement(using: &generator) ?? "",
            MetadataFilter.Comparison.allCases.randomElement(using: &generator) ?? .equals,
            values.randomElement(using: &generator) ?? "")
    }
}

/// The numbers of SplitMix64, the same in each run.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
