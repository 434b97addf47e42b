import ALBEF
import ArgumentParser
import CommandSupport
import Downloads
import Retrieval

/// `albef models show`: shows the card of a model.
struct ModelsShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show the card of a model.",
        discussion: """
            Prints the card of a model directory or of a model that comes with the program. For a \
            published model, prints its entry in the catalogue, and fetches nothing.

              albef models show wardrobe
              albef models show run/best
              albef models show albef-coco
            """)

    @ArgumentParser.Argument(
        help: ArgumentHelp("The model: a directory or a name.", valueName: "model"),
        completion: .directory)
    var model: String

    func run() async throws {
        switch try ModelReference(model) {
        case .directory(let path):
            let directory = try ModelDirectory.open(path)
            guard let card = directory.card else {
                throw ValidationError(
                    "\(path.displayed) has no card; 'albef models pack --card'"
                        + " adds one.")
            }
            Console.result(Self.page(card))
        case .published(let entry): Console.result(Self.page(entry))
        }
    }

    private static func page(_ card: ModelCard) -> String {
        let lines = card.text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        let page = lines.map { String($0).displayed }.joined(separator: "\n")
        return page.hasSuffix("\n") ? String(page.dropLast()) : page
    }

    private static func page(_ entry: ModelCatalog.Entry) -> String {
        var lines = ["# \(entry.name)", "", entry.subject, ""]
        let abilities = entry.abilities.map(\.rawValue).joined(separator: ", ")
        if !abilities.isEmpty { lines.append("- abilities: \(abilities)") }
        lines.append("- licence: \(entry.licence)")
        lines.append("- download: \(ByteCount.text(entry.downloadSize))")
        if entry.parameters > 0 { lines.append("- memory: \(ByteCount.text(entry.memorySize))") }
        return lines.joined(separator: "\n")
    }
}
