import ALBEF
import ArgumentParser
import CommandSupport
import Downloads
import Foundation
import SystemPackage

/// `albef models pull`: fetches a model before it is needed, or its published files.
struct ModelsPullCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pull",
        abstract: "Fetch a model of the catalogue, to use it later without a network.",
        discussion: """
            Commands fetch models on first use; this command fetches one beforehand. An \
            interrupted download resumes where it stopped. The SHA-256 of a file is compared with \
            the published one, or with that of the first download if none is published. Prints the \
            path of the model directory; with --output, and for towers and vocabularies, that of \
            the files.

            $ALBEF_MIRROR is the address of a mirror, $HF_ENDPOINT that of a mirror of Hugging \
            Face. --output lays out files as a mirror does. No access token is ever sent.

              albef models pull albef-14m
              albef models pull google/siglip2-base-patch16-224 --mirror http://lan/models
              albef models pull bert-base-uncased --output .
            """)

    @Argument(help: ArgumentHelp("A name that 'albef models list' shows.", valueName: "name"))
    var name: String

    @Option(
        help: ArgumentHelp(
            "Put the published files here, and import nothing; default: the cache.",
            valueName: "directory"), completion: .directory)
    var output: String?

    @Option(
        help: ArgumentHelp(
            "Mirror to fetch from: NAME/FILE if an entry has several files, FILE if it has one.",
            valueName: "address"))
    var mirror: String?

    @Flag(help: "Print the path, and the files' SHA-256, as JSON.")
    var json = false

    func run() async throws {
        var fetch = ModelFetch()
        if let mirror {
            guard let address = ModelCatalog.address(mirror) else {
                throw ValidationError("--mirror '\(mirror)' is not an address such as http://…")
            }
            fetch.mirror = address
        }
        let catalog = try fetch.catalog()
        let entry = try catalog.entry(named: name)
        if let output {
            try await put(entry, into: FilePath(output), fetch)
        } else if entry.isModel {
            try tell(try await fetch.prepare(entry, catalog), entry)
        } else {
            let folder = try await fetch.files(entry)
            try tell(entry.isFolder ? folder : Self.file(of: entry, in: folder), entry)
        }
    }

    private func put(
        _ entry: ModelCatalog.Entry, into output: FilePath, _ fetch: ModelFetch
    ) async throws {
        let folder = entry.isFolder ? output.pushing(FilePath(entry.name)) : output
        let files = try await fetch.files(entry, into: folder)
        try tell(entry.isFolder ? folder : Self.file(of: entry, in: folder), entry, files)
    }

    private static func file(of entry: ModelCatalog.Entry, in folder: FilePath) -> FilePath {
        entry.parts.first?.alternatives.first.map { folder.appending($0.name) } ?? folder
    }

    private func tell(
        _ path: FilePath, _ entry: ModelCatalog.Entry, _ files: [DownloadedFile] = []
    ) throws {
        guard json else {
            Console.result(path.string)
            return
        }
        try Console.json(
            Outcome(
                name: entry.name, path: path.string,
                files: files.map { .init(path: $0.path.string, sha256: $0.sha256) }))
    }

    private struct Outcome: Encodable {
        struct File: Encodable {
            let path, sha256: String
        }

        let name, path: String
        let files: [File]
    }
}
