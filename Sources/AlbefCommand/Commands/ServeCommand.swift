import ALBEF
import ArgumentParser
import CommandSupport
import Foundation
import ImageText
import Logging
import Retrieval
import RetrievalServer
import SystemPackage
import Torch

/// `albef serve`: runs a search service with its page.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Serve an index, with a search page and an HTTP API.",
        discussion: """
            Listens only on this machine unless --host is given. With --photos, the service makes \
            the index from a folder and keeps it up to date; with a key, clients may add, replace \
            and delete images. SIGTERM or Ctrl-C ends the service after the requests in flight.

              albef serve --photos ~/Pictures
              albef serve --photos ~/Pictures --index photos.index --model albef-coco
              albef serve --index photos.index --recall milvus://127.0.0.1:19530/photos
              albef serve --index shop.index --host 0.0.0.0 --key-file key.txt --settings serve.yaml
              albef serve --photos ~/Pictures --questions vqa-run/best --answers answers.json

            If --model is not the model that made the index, and --photos or a key is given, the \
            index is changed to the new model while the old one answers; see 'albef index add'.

            Without --index, the index of a folder is kept in albef/indexes in $XDG_DATA_HOME or \
            the user's data folder.

            The description of the API is at /openapi.json, and metrics are at /metrics.
            """)

    @Option(
        help: ArgumentHelp(
            "The index that 'albef index' made; default: one kept for the folder of --photos.",
            valueName: "directory"), completion: .directory)
    var index: String?

    @OptionGroup var model: ModelOptions

    @Option(
        help: ArgumentHelp(
            """
            A model that answers questions about images: a directory that 'albef finetune' or \
            'albef import' wrote, or a name from 'albef models list'; without one, nobody may ask.
            """,
            valueName: "model"), completion: .directory)
    var questions: String?

    @Option(
        help: ArgumentHelp(
            "A JSON list of answers from which --questions chooses; default: it writes answers "
                + "freely.",
            valueName: "file"), completion: .file())
    var answers: String?

    @Option(help: ArgumentHelp("Address to listen on; default: 127.0.0.1.", valueName: "address"))
    var host: String?

    @Option(help: ArgumentHelp("Port, or 0 for any free one; default: 8080.", valueName: "port"))
    var port: Int?

    @Option(
        help: ArgumentHelp("Folder of images to index and to watch.", valueName: "directory"),
        completion: .directory)
    var photos: String?

    @Option(
        help: ArgumentHelp(
            "Files and folders of --photos to leave out: a name such as '*.tmp.jpg', or a path "
                + "such as 2014/drafts; may be repeated.", valueName: "pattern"))
    var exclude: [String] = []

    @Option(
        help: ArgumentHelp(
            "File with the key that requests must carry to write; without one, nobody may write.",
            valueName: "file"), completion: .file())
    var keyFile: String?

    @Option(
        help: ArgumentHelp(
            "File with the key that requests must carry to read, in a browser as the password; "
                + "without one, everybody may read.",
            valueName: "file"), completion: .file())
    var readKeyFile: String?

    @Option(
        help: ArgumentHelp(
            "Where to keep images that clients add; default: the index's name with .uploads.",
            valueName: "directory"), completion: .directory)
    var uploads: String?

    @Option(
        help: ArgumentHelp(
            "YAML file of more settings: names, limits, batching; other options override it.",
            valueName: "file"), completion: .file())
    var settings: String?

    @Option(
        help: ArgumentHelp(
            "Lowest level to log: debug, info, notice, warning or error. The log has one JSON "
                + "object per line.",
            valueName: "level"))
    var logLevel = "info"

    func validate() throws {
        if Logger.Level(rawValue: logLevel) == nil {
            throw ValidationError("--log-level must be debug, info, notice, warning or error.")
        }
        if answers != nil, questions == nil {
            throw ValidationError("--answers needs --questions, the model that chooses from them.")
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
        if let store = model.store { configuration.recall = store }
        configuration.version = Albef.configuration.version
        try configuration.check()
        let index = try indexPath(configuration)
        let level = Logger.Level(rawValue: logLevel) ?? .info
        let logger = Logger(label: "albef") { JSONLogHandler(label: $0, level: level) }
        let recall = try RecallStore.recall(configuration.recall)
        let loaded = try await model.withoutStore.load(of: try? ForwardIndex.model(of: index)) {
            remark in
            logger.notice("\(remark.trimmingPrefix("note: "))")
        }
        let questions = try await questionModel(logger)
        let service = try await RetrievalService(
            configuration, model: loaded, former: try await former(than: loaded, index, logger),
            questions: questions, index: index, recall: recall, logger: logger)
        try await service.run { address in
            Console.result("listening on \(address)")
            for each in loaded.models { Console.result(each.introduction.displayed) }
            if let questions {
                Console.result("questions: answered by \(questions.name)".displayed)
            }
            if self.index == nil { Console.result("index: \(index.displayed)") }
        }
    }

    /// Returns the path of the named index, or of the one kept for the folder.
    private func indexPath(_ configuration: ServerConfiguration) throws -> FilePath {
        if let index { return FilePath(index) }
        guard let photos = configuration.photos else {
            throw ValidationError(
                "name a folder of images with --photos, or an index with --index.")
        }
        return FolderIndex.path(of: photos)
    }

    /// Loads the model that answers questions; returns nil if none is named.
    ///
    /// - Throws: A `ValidationError` if the model is for another task; a `DatasetError` that names
    ///   the list of answers; `ALBEFError` if one of them has no token.
    private func questionModel(_ logger: Logger) async throws -> QuestionModel? {
        guard let questions else { return nil }
        let choices = try answers.map { try AnswerChoices(reading: FilePath($0)) }
        let loaded = try await TaskModel(
            named: questions, for: .vqa, device: Device(named: model.device),
            computeType: model.computeType ?? .float32
        ) { remark in
            logger.notice("\(remark.trimmingPrefix("note: "))")
        }
        let path = FilePath(questions)
        let name = try ModelReference(questions).named(at: path).name
        return try QuestionModel(
            loaded, AnswerReader(loaded.texts, choices: choices),
            name: name ?? path.lastComponent?.string ?? questions)
    }

    /// Loads the model that made the index, if another model is to replace it.
    ///
    /// - Returns: nil if the index is of the wanted model, or if its model cannot be loaded;
    ///   opening the index reports the latter.
    private func former(
        than wanted: SearchModel, _ index: FilePath, _ logger: Logger
    ) async throws -> SearchModel? {
        guard model.model != nil, let found = try? ForwardIndex(index),
            found.isToChange(to: wanted.signature, imageSize: model.imageSize != nil)
        else { return nil }
        do {
            let former = try await model.withoutStore.like(found.model).load { remark in
                logger.notice("\(remark.trimmingPrefix("note: "))")
            }
            if former.signature.isSame(as: found.model) { return former }
            logger.warning("\(found.model.title) has changed since it made the index")
        } catch {
            logger.warning(
                "the model of the index cannot be loaded to answer during the change: \(error)")
        }
        return nil
    }

    /// Reads a key from a file; white space around it is ignored.
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
