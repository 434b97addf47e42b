import ALBEF
import ArgumentParser
import CommandSupport
import Downloads

/// `albef models remove`: removes a fetched model from the cache.
struct ModelsRemoveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove",
        abstract: "Remove a fetched model from the cache.",
        discussion: """
            A command that uses the model later fetches it again. Model directories elsewhere stay.

              albef models remove albef-coco
            """)

    @Argument(help: ArgumentHelp("A name that 'albef models list' shows.", valueName: "name"))
    var name: String

    @Flag(help: "Print the name and the size as JSON.")
    var json = false

    func run() async throws {
        let cache = ModelCache()
        let entry = try ModelCatalog.published.entry(named: name)
        let size = try cache.remove(entry)
        if json {
            try Console.json(Outcome(name: entry.name, bytes: size))
        } else if size > 0 {
            Console.result("removed \(entry.name): \(ByteCount.text(size))")
        } else {
            Console.result("\(entry.name) is not in the cache \(cache.folder.displayed)")
        }
    }

    private struct Outcome: Encodable {
        let name: String
        let bytes: Int64
    }
}
