import ALBEF
import ArgumentParser
import Foundation
import Synchronization
import SystemPackage

/// `albef models pull`: downloads a checkpoint or a vocabulary.
struct ModelsPullCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pull",
        abstract: "Download a published checkpoint or vocabulary.",
        discussion: """
            A broken download goes on where it stopped. The file's SHA-256 is checked where one is \
            published, else recorded the first time and compared ever after. Prints the file's path.

              albef models pull albef-14m
              albef models pull bert-base-uncased --output .
            """)

    @Argument(help: ArgumentHelp("A name that 'albef models list' shows.", valueName: "name"))
    var name: String

    @Option(
        help: ArgumentHelp(
            "Where to put the file; default: $ALBEF_HOME/downloads, else ~/.cache/albef/downloads.",
            valueName: "directory"))
    var output: String?

    @Option(
        help: ArgumentHelp("Fetch the same file names from here instead.", valueName: "address"))
    var mirror: String?

    @Flag(help: "Print the path and the SHA-256 as JSON.")
    var json = false

    func run() async throws {
        var catalog = ModelCatalog.published
        if let mirror {
            guard let address = URL(string: mirror), address.scheme != nil else {
                throw ValidationError("--mirror '\(mirror)' is not an address such as http://…")
            }
            catalog = catalog.mirrored(at: address)
        }
        guard let entry = catalog[name] else {
            let names = catalog.entries.map(\.name).joined(separator: ", ")
            throw ValidationError("There is no model '\(name)'. Known: \(names).")
        }
        let directory = FilePath(output ?? Self.defaultDirectory)
        try FileManager.default.createDirectory(
            atPath: directory.string, withIntermediateDirectories: true)
        let (downloader, label) = (Downloader(), entry.file)
        let file = try await Interrupts.cancelling(
            "stopping; the next pull continues from here"
        ) {
            let bar = Mutex(ProgressBar(label, unit: "MB"))
            defer { bar.withLock { $0.finish() } }
            return try await downloader.download(entry, into: directory) { progress in
                guard let total = progress.total else { return }
                bar.withLock { $0.show(Int(progress.received >> 20), of: Int(total >> 20)) }
            }
        }
        if json {
            try Console.json([
                "path": file.path.string, "sha256": file.sha256, "name": entry.name,
            ])
        } else {
            Console.result(file.path.string)
        }
    }

    /// Where downloads go unless told otherwise.
    static var defaultDirectory: String {
        let home = ProcessInfo.processInfo.environment["ALBEF_HOME"]
        return (home ?? NSHomeDirectory() + "/.cache/albef") + "/downloads"
    }
}
