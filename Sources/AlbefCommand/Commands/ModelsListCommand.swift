import ALBEF
import ArgumentParser
import Foundation
import Retrieval

/// `albef models list`: the published checkpoints and vocabularies.
struct ModelsListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the published checkpoints and vocabularies.",
        discussion: """
              albef models list
              albef models pull albef-14m
            """)

    @Flag(help: "Print the list as JSON, with the addresses.")
    var json = false

    func run() async throws {
        let entries = ModelCatalog.published.entries
        if json {
            try Console.json(entries.map(Entry.init))
            return
        }
        let width = entries.map(\.name.count).max() ?? 0
        for entry in entries {
            let name = entry.name.padding(toLength: width, withPad: " ", startingAt: 0)
            Console.result("\(name)  \(entry.summary)")
        }
        Console.note(
            "comes with the program: \(ShippedModel.allCases.map(\.rawValue).joined(separator: ", "))"
        )
        Console.note("fetch one with 'albef models pull NAME', then 'albef import' it")
    }

    private struct Entry: Encodable {
        let name, file, address, summary, licence: String
        let dialect: Dialect?
        let sha256: String?

        init(_ entry: ModelCatalog.Entry) {
            name = entry.name
            file = entry.file
            address = entry.address.absoluteString
            summary = entry.summary
            licence = entry.licence
            dialect = entry.dialect
            sha256 = entry.sha256
        }
    }
}
