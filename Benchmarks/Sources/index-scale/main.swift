// Times what is done with an index over synthetic entries, and prints a table.
//
//     index-scale FOLDER [COUNT ...] [without-columns]
//
// For each COUNT, makes an index in FOLDER with features of 256 numbers and the facts that
// photographs have, or reuses the one there. With `without-columns`, rewrites the index as versions
// before keys and columns wrote it. Every figure is in milliseconds, the median where a step is
// repeated; "first" is the first time in a process, with the files in the system's cache.
import ALBEF
import Foundation
import ImageText
import Retrieval
import SystemPackage
import Torch
import WeightFiles

func milliseconds(_ work: () throws -> Void) rethrows -> Double {
    let start = ContinuousClock.now
    try work()
    return (ContinuousClock.now - start) / .milliseconds(1)
}

func median(_ count: Int, _ work: (Int) throws -> Void) rethrows -> Double {
    let times = try (0..<count).map { round in try milliseconds { try work(round) } }.sorted()
    return times[times.count / 2]
}

let width = 256
let signature = ModelSignature(
    fingerprint: "synthetic", imageSize: 1, embeddingWidth: width, tokenCount: 1, tokenWidth: 1)
let centres = Tensor.normal([1000, width], generator: try Generator(seed: 1))

/// Returns unit vectors around a thousand centres, `[count, 256]`.
func features(_ count: Int, _ generator: Generator) -> Tensor {
    let choice = (Tensor.uniform([count], generator: generator) * 1000).to(.int64)
    return (centres[choice] + Tensor.normal([count, width], generator: generator) * 0.7)
        .normalized()
}

/// Returns an entry whose facts depend on its number alone.
func entry(_ number: Int) -> IndexEntry {
    // A multiplication mixes the numbers, so that neighbours were not taken one after another.
    let mixed = number &* 2_654_435_761 & 0x7FFF_FFFF
    func two(_ number: Int) -> String { (number < 10 ? "0" : "") + String(number) }
    var about = ImageFacts()
    let (year, month) = (2005 + mixed % 20, 1 + mixed / 20 % 12)
    about.date =
        "\(year)-\(two(month))-\(two(1 + mixed / 240 % 28))"
        + "T\(two(mixed / 6720 % 24)):\(two(number % 60)):\(two(number / 60 % 60))"
    (about.width, about.height) = mixed % 3 == 0 ? (3000, 4000) : (4000, 3000)
    about.camera = "Camera \(mixed % 41)"
    if mixed % 3 == 1 {
        (about.latitude, about.longitude) = (
            Double(mixed % 90_000) / 1000, Double(mixed % 1797) / 10
        )
    }
    let digits = String(number, radix: 16)
    return IndexEntry(
        path: FilePath("/images/\(year)/\(two(month))/\(number).jpg"),
        size: 1_000_000 + mixed % 5_000_000, modified: 0,
        sha256: String(repeating: "0", count: 64 - digits.count) + digits, about: about,
        metadata: ["place": .text("Place \(mixed % 200)")])
}

func make(_ directory: FilePath, _ count: Int) throws {
    let generator = try Generator(seed: 2)
    for first in stride(from: 0, to: count, by: 250_000) {
        let rows = min(250_000, count - first)
        try ForwardIndex.append(
            (first..<first + rows).map(entry), features: features(rows, generator), tokens: nil,
            to: directory, model: signature, budget: TokenBudget(count: 0))
    }
}

/// Rewrites an index without keys and columns; its checksums, which only verifying reads, stay.
func removeTables(_ directory: FilePath) throws {
    let url = URL(filePath: directory.appending("manifest.json").string)
    guard
        var manifest = try JSONSerialization.jsonObject(with: Data(contentsOf: url))
            as? [String: Any], var segments = manifest["segments"] as? [[String: Any]]
    else { return }
    let tables: Set = ["keys", "key_rows", "columns", "column_table"]
    for position in segments.indices {
        guard let name = segments[position]["name"] as? String else { continue }
        let path = directory.appending("segments").appending("\(name).safetensors")
        let file = try SafetensorsFile(path)
        var byteCount = 0
        try SafetensorsWriter.write(
            file.tensors.filter { !tables.contains($0.name) }.map {
                .init(name: $0.name, tensor: $0.tensor)
            }, to: path
        ) { bytes in
            byteCount += bytes.count
        }
        segments[position]["byte_count"] = byteCount
    }
    manifest["segments"] = segments
    try JSONSerialization.data(withJSONObject: manifest).write(to: url, options: .atomic)
}

/// Returns the resident memory of this process in megabytes, without mapped files.
func privateMegabytes() -> Double {
    let text = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let line = text.split(separator: "\n").first { $0.hasPrefix("RssAnon") }
    return (line?.split(separator: " ").dropLast().last.flatMap { Double($0) } ?? 0) / 1000
}

/// Measures one index; the figures are in the order of the rows of the table.
func measure(_ directory: FilePath, _ count: Int) throws -> [(String, Double)] {
    var rows: [(String, Double)] = []
    let before = privateMegabytes()
    var index = try ForwardIndex(directory)
    rows.append(("open", try median(5) { _ in index = try ForwardIndex(directory) }))
    let key = EntryKey(entry(count / 3).path)
    var locator = EntryLocator()
    rows.append(
        (
            "find an image by its id, first",
            try milliseconds { _ = try locator.find(key, in: index) }
        ))
    rows.append(
        (
            "another image by its id",
            try median(21) {
                _ = try locator.find(EntryKey(entry($0 * 401 % count).path), in: index)
            }
        ))

    // Conditions: one that was not compared yet, and one that was.
    func condition(_ round: Int) throws -> [MetadataFilter] {
        [MetadataFilter("date", .atLeast, "20\(10 + round % 9)-0\(1 + round % 9)")]
    }
    rows.append(
        (
            "count what fulfils a condition, first",
            try milliseconds { _ = try index.count(where: try condition(0)) }
        ))
    rows.append(
        ("another condition", try median(15) { _ = try index.count(where: try condition($0 + 1)) }))
    rows.append(
        (
            "the same condition again",
            try median(15) { _ in _ = try index.count(where: try condition(15)) }
        )
    )
    rows.append(
        (
            "five conditions",
            try milliseconds {
                _ = try index.count(where: [
                    MetadataFilter("camera", .equals, "Camera 7"),
                    MetadataFilter("place", .differs, "Place 9"),
                    MetadataFilter("folder", .equals, "/images/2011"),
                    MetadataFilter("latitude", .greater, "45.5"),
                    MetadataFilter("size", .less, "4000000"),
                ])
            }
        ))

    let queries = features(40, try Generator(seed: 3))
    rows.append(
        ("search, best 20", try median(15) { _ = try index.recall(queries[$0], count: 20) }))
    rows.append(
        (
            "search with another condition, and count",
            try median(15) { round in
                let filters = [MetadataFilter("date", .less, "20\(10 + round % 9)-1\(round % 3)")]
                _ = try index.recall(queries[round], count: 20, filters: filters)
                _ = try index.count(where: filters)
            }
        ))

    func page(_ filters: [MetadataFilter], _ order: EntryOrder, _ skipped: Int) throws {
        let page = try index.page(where: filters, by: order, skipping: skipped, count: 24)
        for id in page.ids { _ = try index.entry(id) }
    }
    rows.append(
        ("page of 24 images, in the middle", try median(15) { _ in try page([], .path, count / 2) })
    )
    rows.append(
        (
            "the same, with a condition",
            try median(15) { _ in try page(try condition(3), .path, count / 20) }
        ))
    rows.append(("newest 24 images, first", try milliseconds { try page([], .date, 0) }))
    rows.append(("the next 24 by date", try median(15) { try page([], .date, 24 * $0) }))
    rows.append(
        (
            "newest images, page 500",
            try median(5) { _ in try page([], .date, 24 * min(500, count / 48)) }
        ))
    rows.append(("facets", try milliseconds { _ = try index.facets() }))
    rows.append(("private memory, MB", privateMegabytes() - before))

    // A commit of a service, which knows the last state, and of a program that has just started.
    func change(_ number: Int) throws -> IndexChange {
        var change = IndexChange()
        change.entries = [entry(number)]
        change.encoded = EncodedImages(
            tokens: .zeros([1, 1, 1]), features: features(1, try Generator(seed: UInt64(number))))
        return change
    }
    func commit(_ number: Int, _ older: ForwardIndex?) throws {
        _ = try ForwardIndex.apply(
            try change(number), to: directory, model: signature, locator: locator, reusing: older)
    }
    let next = 1 << 40
    rows.append(
        (
            "commit of one image, and the new state",
            try median(15) { round in
                try commit(next + round, index)
                if let newer = try index.refreshed() { index = newer }
            }
        ))
    rows.append(
        (
            "commit of one image by a new program",
            try median(3) { round in
                locator = EntryLocator()
                try commit(next + 100 + round, nil)
            }
        ))
    return rows
}

let arguments = CommandLine.arguments.dropFirst()
guard let folder = arguments.first.map({ FilePath($0) }) else {
    FileHandle.standardError.write(
        Data("usage: index-scale FOLDER [COUNT ...] [without-columns]\n".utf8))
    exit(64)
}
let isPlain = arguments.contains("without-columns")
let given = arguments.dropFirst().compactMap { Int($0) }
let counts = given.isEmpty ? [10_000, 1_000_000] : given
var columns: [[(String, Double)]] = []
for count in counts {
    let directory = folder.appending("\(count)" + (isPlain ? "-without-columns" : ""))
    if !FileManager.default.fileExists(atPath: directory.string) {
        let time = try milliseconds { try make(directory, count) }
        FileHandle.standardError.write(
            Data(String(format: "made %d in %.0f s\n", count, time / 1000).utf8))
        if isPlain { try removeTables(directory) }
    }
    let before = try ForwardIndex(directory).statistics
    columns.append(
        [("bytes per image", Double(before.byteCount) / Double(before.images))]
            + (try measure(directory, count)))
    // The next run finds the index as it was.
    _ = try ForwardIndex.remove(directory, paths: (0..<200).map { entry(1 << 40 + $0).path })
    while try ForwardIndex.tidy(directory) {}
}
print("| | " + counts.map { "\($0)" }.joined(separator: " | ") + " |")
print("|---" + String(repeating: "|---", count: counts.count) + "|")
for row in columns.first?.indices ?? 0..<0 {
    let figures = columns.map { column in
        let figure = column[row].1
        return String(format: figure < 10 ? "%.2f" : figure < 100 ? "%.1f" : "%.0f", figure)
    }
    print("| \(columns[0][row].0) | \(figures.joined(separator: " | ")) |")
}
