import ALBEF
import ArgumentParser
import CommandSupport
import Downloads
import Foundation
import Retrieval
import SystemPackage

/// `albef models list`: lists the catalogue.
struct ModelsListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the models that can be used by name.",
        discussion: """
            A command fetches and imports a model on first use, and keeps it in $ALBEF_CACHE, else \
            in albef in $XDG_CACHE_HOME or the user's cache folder. Sizes are computed from the \
            architecture. Every model that searches also classifies.

              albef models list
              albef search "a dog in the snow" --model albef-coco --index photos.index
            """)

    @Flag(help: "Print the list as JSON, with the addresses.")
    var json = false

    func run() async throws {
        let cache = ModelCache()
        let entries = ModelCatalog.published.entries
        if json {
            try Console.json(entries.map { ModelListing($0, cache) })
            return
        }
        let shipped = try ShippedModel.available.compactMap { model in
            try model.directory.map { (model, try ModelDirectory.open($0).card) }
        }
        let table = ModelTable(shipped: shipped, entries: entries, cache: cache)
        Console.result(table.text)
        Console.note("\nthe cache is \(cache.folder.displayed)")
    }
}

/// The catalogue as text, with one table per purpose.
struct ModelTable {
    /// The models that come with the program, and their cards.
    let shipped: [(model: ShippedModel, card: ModelCard?)]
    let entries: [ModelCatalog.Entry]
    let cache: ModelCache

    private static let groups: [(title: String, holds: @Sendable (ModelCatalog.Entry) -> Bool)] = [
        ("search, re-rank", { $0.abilities.contains(.rerank) }),
        (
            "search, in the order of recall",
            { $0.abilities.contains(.search) && !$0.abilities.contains(.rerank) }
        ),
        ("image towers to start from", { $0.purpose == .imageTower }),
        ("text towers to start from", { $0.purpose == .textTower }),
        ("other tasks, to import", { $0.isModel && $0.abilities.isEmpty }),
        ("vocabularies", { $0.purpose == .vocabulary }),
    ]

    /// The tables, with an empty line between them.
    var text: String {
        let ours = shipped.map { model, card in
            [model.rawValue + (model == .default ? " (default)" : ""), card?.subject ?? ""]
        }
        let own = ours.isEmpty ? [] : [Self.aligned([["COMES WITH THE PROGRAM", "knows"]] + ours)]
        let published = Self.groups.map { group in
            let rows = entries.filter(group.holds).map(row)
            return Self.aligned([Self.heading(group.title)] + rows, numbers: [1, 2])
        }
        return (own + published).joined(separator: "\n\n")
    }

    private static func heading(_ title: String) -> [String] {
        [title.uppercased(), "download", "memory", "texts", "licence", "here", "what"]
    }

    private func row(_ entry: ModelCatalog.Entry) -> [String] {
        let languages = entry.languages.map { $0 == "mul" ? "many" : $0 }
        return [
            entry.name, ByteCount.text(entry.downloadSize),
            entry.parameters > 0 ? ByteCount.text(entry.memorySize) : "–",
            languages.isEmpty ? "–" : languages.joined(separator: " "), entry.licence,
            ModelListing.state(of: entry, cache).mark, entry.summary,
        ]
    }

    /// Aligns cells in columns: the columns in `numbers` to the right, the others to the left.
    private static func aligned(_ rows: [[String]], numbers: Set<Int> = []) -> String {
        let count = rows.first?.count ?? 0
        let widths = (0..<count).map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            let cells = zip(row, widths).enumerated().map { column, cell in
                let space = String(repeating: " ", count: max(0, cell.1 - cell.0.count))
                return numbers.contains(column) ? space + cell.0 : cell.0 + space
            }
            let line = cells.joined(separator: "  ")
            return String(line.reversed().drop { $0 == " " }.reversed())
        }.joined(separator: "\n")
    }
}

/// An entry of the catalogue in JSON.
struct ModelListing: Encodable {
    /// How much of the entry is in the cache.
    enum State: String, Encodable {
        case absent, partial, ready

        /// The text in the table.
        var mark: String {
            switch self {
            case .absent: ""
            case .partial: "part"
            case .ready: "yes"
            }
        }
    }

    private struct File: Encodable {
        let names, addresses: [String]
        let sha256: String?
        let required: Bool
    }

    private let name, summary, licence: String
    private let purpose: ModelCatalog.Purpose
    private let abilities: [ModelCatalog.Ability]
    private let languages: [String]
    private let dialect: Dialect?
    private let vocabulary: String?
    private let parameters: Int
    private let downloadBytes, memoryBytes, cachedBytes: Int64
    private let state: State
    private let path: String?
    private let files: [File]

    enum CodingKeys: String, CodingKey {
        case name, summary, licence, purpose, abilities, languages, dialect, vocabulary, parameters
        case downloadBytes = "download_bytes"
        case memoryBytes = "memory_bytes"
        case cachedBytes = "cached_bytes"
        case state, path, files
    }

    init(_ entry: ModelCatalog.Entry, _ cache: ModelCache) {
        name = entry.name
        summary = entry.summary
        licence = entry.licence
        purpose = entry.purpose
        abilities = entry.abilities
        languages = entry.languages
        dialect = entry.dialect
        vocabulary = entry.vocabulary
        parameters = entry.parameters
        downloadBytes = entry.downloadSize
        memoryBytes = entry.memorySize
        cachedBytes = cache.size(of: entry)
        state = Self.state(of: entry, cache)
        path = (cache.model(entry) ?? cache.files(entry))?.string
        files = entry.parts.map { part in
            File(
                names: part.alternatives.map(\.name),
                addresses: part.alternatives.map(\.address.absoluteString),
                sha256: part.alternatives.compactMap(\.sha256).first, required: part.isRequired)
        }
    }

    /// Returns how much of an entry is in the cache.
    static func state(of entry: ModelCatalog.Entry, _ cache: ModelCache) -> State {
        if cache.model(entry) != nil || cache.files(entry) != nil { return .ready }
        return cache.size(of: entry) > 0 ? .partial : .absent
    }
}
