import CommandSupport
import Foundation
import ImageText
import SystemPackage

extension DatasetReport.Problem {
    /// The name of the problem in JSON, and its heading.
    fileprivate var kind: (name: String, heading: String) {
        switch self {
        case .missingImage: ("missing_image", "missing images")
        case .undecodableImage: ("undecodable_image", "images that cannot be decoded")
        case .noCaption: ("no_caption", "images without captions")
        case .emptyCaption: ("empty_caption", "empty captions")
        case .repeatedPair: ("repeated_pair", "repeated captions of one image")
        case .equivalentCaptions:
            (
                "equivalent_captions",
                "captions of one image that differ only in case, spaces or punctuation"
            )
        case .noImage: ("no_image", "samples without an image")
        case .unreadableCaption: ("unreadable_caption", "captions that cannot be read")
        case .damagedShard: ("damaged_shard", "damaged shards")
        case .identicalImages: ("identical_images", "groups of identical images")
        }
    }

    /// The files of the problem, the captions that it is about, and the reason.
    fileprivate var details: (paths: [FilePath], captions: [String], reason: String?) {
        switch self {
        case .missingImage(let path), .noCaption(let path), .noImage(let path): ([path], [], nil)
        case .undecodableImage(let path, let reason), .unreadableCaption(let path, let reason):
            ([path], [], reason)
        case .damagedShard(let damage):
            (
                [FilePath(damage.shard.description)], [],
                "\(damage.reason) (byte \(damage.offset)); \(damage.samples) samples before it can"
                    + " be used"
            )
        case .emptyCaption(let path, let index): ([path], [], "caption \(index + 1)")
        case .repeatedPair(let path, let caption): ([path], [caption], nil)
        case .equivalentCaptions(let path, let captions): ([path], captions, nil)
        case .identicalImages(let paths): (paths, [], nil)
        }
    }
}

/// A report as text: counts, distributions, and the first few problems of each kind.
enum ValidationTable {
    private static let shown = 10

    static func text(_ report: DatasetReport) -> String {
        let each = report.images > 0 ? Double(report.captions) / Double(report.images) : 0
        var lines = [
            "images    \(report.images)",
            "captions    \(report.captions)" + String(format: ", %.1f per image", each),
        ]
        let distributions = [
            ("words", report.words), ("characters", report.characters), ("width", report.widths),
            ("height", report.heights),
        ]
        for (name, distribution) in distributions {
            guard let distribution else { continue }
            lines.append(
                name.padding(toLength: 12, withPad: " ", startingAt: 0)
                    + "\(distribution.minimum) to \(distribution.maximum)"
                    + ", median \(distribution.median), 95% up to \(distribution.percentile95)"
                    + String(format: ", mean %.1f", distribution.mean))
        }
        var kinds: [String] = []
        for problem in report.problems where !kinds.contains(problem.kind.name) {
            kinds.append(problem.kind.name)
        }
        for kind in kinds {
            let problems = report.problems.filter { $0.kind.name == kind }
            lines += ["", "\(problems[0].kind.heading): \(problems.count)"]
            lines += problems.prefix(shown).map { "  " + line($0) }
            if problems.count > shown { lines.append("  and \(problems.count - shown) more") }
        }
        let verdict =
            report.images == 0
            ? "no images were found"
            : report.isBroken
                ? "training cannot use all of the data"
                : report.problems.isEmpty
                    ? "no problems were found" : "training can use all of the data"
        return (lines + ["", verdict]).joined(separator: "\n")
    }

    private static func line(_ problem: DatasetReport.Problem) -> String {
        let details = problem.details
        let paths = details.paths.map(\.displayed).joined(separator: " = ")
        let notes = details.captions.map { "\"\($0)\"" } + [details.reason].compactMap(\.self)
        return notes.isEmpty ? paths : "\(paths): \(notes.joined(separator: ", "))"
    }
}

/// The JSON of `albef data validate --json`.
struct ValidationOutput: Encodable {
    private struct Distribution: Encodable {
        let minimum, maximum, median, percentile95: Int
        let mean: Double

        init(_ distribution: DatasetReport.Distribution) {
            minimum = distribution.minimum
            maximum = distribution.maximum
            median = distribution.median
            percentile95 = distribution.percentile95
            mean = distribution.mean
        }

        enum CodingKeys: String, CodingKey {
            case minimum, maximum, median, mean
            case percentile95 = "percentile_95"
        }
    }

    private struct Problem: Encodable {
        let kind: String
        let breaking: Bool
        let images: [JSONPath]
        let captions: [String]?
        let captionIndex: Int?
        let reason: String?
        /// The byte at which reading stopped, and the samples before it.
        let offset: Int64?
        let samples: Int?

        init(_ problem: DatasetReport.Problem) {
            let details = problem.details
            kind = problem.kind.name
            breaking = problem.isBreaking
            images = details.paths.map { JSONPath(path: $0) }
            captions = details.captions.isEmpty ? nil : details.captions
            if case .damagedShard(let damage) = problem {
                (captionIndex, reason) = (nil, damage.reason)
                (offset, samples) = (damage.offset, damage.samples)
                return
            }
            (offset, samples) = (nil, nil)
            if case .emptyCaption(_, let index) = problem {
                captionIndex = index
                reason = nil
            } else {
                captionIndex = nil
                reason = details.reason
            }
        }

        enum CodingKeys: String, CodingKey {
            case kind, breaking, images, captions, reason, offset, samples
            case captionIndex = "caption_index"
        }
    }

    private let images, captions: Int
    private let broken: Bool
    private let words, characters, widths, heights: Distribution?
    private let problems: [Problem]

    init(_ report: DatasetReport) {
        images = report.images
        captions = report.captions
        broken = report.isBroken
        words = report.words.map(Distribution.init)
        characters = report.characters.map(Distribution.init)
        widths = report.widths.map(Distribution.init)
        heights = report.heights.map(Distribution.init)
        problems = report.problems.map(Problem.init)
    }
}
