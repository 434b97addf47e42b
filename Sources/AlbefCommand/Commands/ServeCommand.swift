import ArgumentParser
import Foundation
import Logging
import Retrieval
import RetrievalServer
import SystemPackage

/// `albef serve`: a search service and its page.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Serve an index: a page to search with, and an HTTP API.",
        discussion: """
            Listens on this machine alone unless --host says otherwise. With --photos, the index is \
            made of a folder and kept in step with it; with a key, clients may add, replace and \
            delete images. SIGTERM or Ctrl-C ends it when what is in flight is answered.

              albef serve --photos ~/Pictures
              albef serve --photos ~/Pictures --index photos.index --model albef-coco
              albef serve --index shop.index --host 0.0.0.0 --key-file key.txt --settings serve.yaml

            With another --model than the index was made with, and --photos or a key, the index is \
            changed to that one while the old one answers; see 'albef index add'.

            Without --index, the index of a folder is kept in albef/indexes in $XDG_DATA_HOME or the \
            user's data folder.

            The API is described at /openapi.json, metrics are at /metrics.
            """)

    @Option(
        help: ArgumentHelp(
            "The index that 'albef index' made; default: one that is kept for the folder of --photos.",
            valueName: "directory"), completion: .directory)
    var index: String?

    @OptionGroup var model: ModelOptions

    @Option(help: ArgumentHelp("Address to listen on; default: 127.0.0.1.", valueName: "address"))
    var host: String?

    @Option(help: ArgumentHelp("Port, 0 for any that is free; default: 8080.", valueName: "port"))
    var port: Int?

    @Option(
        help: ArgumentHelp("Keep the index in step with this folder.", valueName: "directory"),
        completion: .directory)
    var photos: String?

    @Option(
        help: ArgumentHelp(
            "Leave files and folders of --photos out: a name such as '*.tmp.jpg', or a path such as "
                + "2014/drafts; may be repeated.", valueName: "pattern"))
    var exclude: [String] = []

    @Option(
        help: ArgumentHelp(
            "File with the key that writing requests have to carry; without one nobody may write.",
            valueName: "file"), completion: .file())
    var keyFile: String?

    @Option(
        help: ArgumentHelp(
            "File with a key that reading requests have to carry, as a browser's password; without one everybody may read.",
            valueName: "file"), completion: .file())
    var readKeyFile: String?

    @Option(
        help: ArgumentHelp(
            "Where images that clients add are kept; default: the index's name with .uploads.",
            valueName: "directory"), completion: .directory)
    var uploads: String?

    @Option(
        help: ArgumentHelp(
            "YAML with more settings: names, limits, batching; options here come first.",
            valueName: "file"), completion: .file())
    var settings: String?

    @Option(
        help: ArgumentHelp(
            "What is logged, a JSON object a line: debug, info, notice, warning, error.",
            valueName: "level"))
    var logLevel = "info"

    func validate() throws {
        if Logger.Level(rawValue: logLevel) == nil {
            throw ValidationError("--log-level must be debug, info, notice, warning or error.")
        }
    }

    func run() async throws {
        var configuration = ServerConfiguration()
        if let settings {
            let text: String
            do { text = try String(contentsOfFile: settings, encoding: .utf8) } catch {
                throw ValidationError("--settings \(settings) cannot be read.")
            }
            configuration = try ServerConfiguration(yaml: text, place: settings)
        }
        if let host { configuration.host = host }
        if let port { configuration.port = port }
        if let photos { configuration.photos = FilePath(photos) }
        if !exclude.isEmpty { configuration.exclude = exclude }
        if let uploads { configuration.uploads = FilePath(uploads) }
        if let keyFile { configuration.key = try Self.key(keyFile, "--key-file") }
        if let readKeyFile {
            configuration.readKey = try Self.key(readKeyFile, "--read-key-file")
        }
        configuration.version = Albef.configuration.version
        try configuration.check()
        let index = try indexPath(configuration)
        let level = Logger.Level(rawValue: logLevel) ?? .info
        let logger = Logger(label: "albef") { JSONLogHandler(label: $0, level: level) }
        let loaded = try await model.load(of: try? ForwardIndex.model(of: index)) { remark in
            logger.notice("\(remark.trimmingPrefix("note: "))")
        }
        let service = try await RetrievalService(
            configuration, model: loaded, former: try await former(than: loaded, index, logger),
            index: index, logger: logger)
        try await service.run { address in
            Console.result("listening on \(address)")
            for each in loaded.models { Console.result(each.introduction.displayed) }
            if self.index == nil { Console.result("index: \(index.displayed)") }
        }
    }

    /// The index that is named, or the one that is kept for the folder.
    private func indexPath(_ configuration: ServerConfiguration) throws -> FilePath {
        if let index { return FilePath(index) }
        guard let photos = configuration.photos else {
            throw ValidationError(
                "name a folder of images with --photos, or an index with --index.")
        }
        return FolderIndex.path(of: photos)
    }

    /// The model of the index, if another was named for it to be changed to.
    ///
    /// - Returns: nil if the index is of the same one, or of one that cannot be loaded; opening the
    ///   index then says that.
    private func former(
        than wanted: SearchModel, _ index: FilePath, _ logger: Logger
    ) async throws -> SearchModel? {
        guard model.model != nil, let found = try? ForwardIndex(index),
            found.isToChange(to: wanted.signature, imageSize: model.imageSize != nil)
        else { return nil }
        do {
            let former = try await model.like(found.model).load { remark in
                logger.notice("\(remark.trimmingPrefix("note: "))")
            }
            if former.signature.isSame(as: found.model) { return former }
            logger.warning("\(found.model.title) is not any more the model that made the index")
        } catch {
            logger.warning(
                "the model of the index cannot be loaded to answer while it is changed: \(error)")
        }
        return nil
    }

    /// Reads a key, which may have spaces and lines around it.
    private static func key(_ file: String, _ option: String) throws -> String {
        guard let text = try? String(contentsOfFile: file, encoding: .utf8) else {
            throw ValidationError("\(option) \(file) cannot be read.")
        }
        let key = text.trimmingCharacters(in: .whitespacesAndNewlines)
        if let fault = ServerConfiguration.fault(ofKey: key) {
            throw ValidationError("\(option) \(file): \(fault).")
        }
        return key
    }
}
