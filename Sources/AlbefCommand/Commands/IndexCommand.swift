import ALBEFTraining
import ArgumentParser
import CommandSupport
import Retrieval
import Storage
import SystemPackage

/// `albef index`: makes and maintains indexes.
struct IndexCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "index",
        abstract: "Make and maintain an index of images or texts.",
        discussion: """
            The default subcommand is 'add':

              albef index ~/Pictures --index pictures.index
            """,
        subcommands: [
            IndexAddCommand.self, IndexTextsCommand.self, IndexRemoveCommand.self,
            IndexVerifyCommand.self, IndexRepairCommand.self,
            IndexCompactCommand.self, IndexMergeCommand.self, IndexGraphCommand.self,
            IndexPushCommand.self,
            IndexStatsCommand.self,
        ],
        defaultSubcommand: IndexAddCommand.self)
}

/// `albef index remove`: removes entries from an index.
struct IndexRemoveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove",
        abstract: "Remove images from an index; the files themselves stay.",
        discussion: """
            'albef index compact' frees their space.

              albef index remove ~/Pictures/2014 --index pictures.index
              albef index remove --index shop.index --where 'stock=0'
            """)

    @Argument(
        help: ArgumentHelp("Image files, or folders of images.", valueName: "images"))
    var photos: [String] = []

    @Option(help: ArgumentHelp("The index.", valueName: "directory"), completion: .directory)
    var index: String

    @Option(
        name: .customLong("where"),
        help: ArgumentHelp(
            "Only entries that meet this condition, such as year<2015; may be repeated.",
            valueName: "condition"))
    var filters: [MetadataFilter] = []

    @Flag(help: "Print the number of removed entries as JSON.")
    var json = false

    func validate() throws {
        if photos.isEmpty, filters.isEmpty {
            throw ValidationError("name images or folders, or give a condition with --where.")
        }
    }

    func run() async throws {
        let paths = photos.map { FilePath($0).absolute }
        let count = try ForwardIndex.remove(FilePath(index), paths: paths, filters: filters)
        if count == 0 {
            Console.note(
                "note: nothing in \(index) matches; name entries by the paths of their files")
        }
        if json {
            try Console.json(["removed": count])
        } else {
            Console.result("removed \(count)")
        }
    }
}

/// `albef index verify`: compares every byte of an index with its checksums.
struct IndexVerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Check every byte of an index against its checksums.",
        discussion: """
            Exits with status 1 if a file is damaged; 'albef index repair' removes damaged files.

              albef index verify pictures.index
            """)

    @Argument(help: ArgumentHelp("The index.", valueName: "directory"), completion: .directory)
    var index: String

    @Flag(help: "Print the damage as JSON.")
    var json = false

    func run() async throws {
        let index = FilePath(index)
        let damage = try await Interrupts.cancelling("stopping") {
            var bar = ProgressBar("verifying", unit: "files")
            defer { bar.finish() }
            return try ForwardIndex.verify(index) { done, total in
                try Task.checkCancellation()
                bar.show(done, of: total)
            }
        }
        if json {
            try Console.json(damage.map { ["file": $0.file.description, "reason": $0.reason] })
        } else if damage.isEmpty {
            let forward = try ForwardIndex(index)
            let noun = forward.content == .images ? "images" : "texts"
            Console.result("undamaged: \(forward.count) \(noun)")
        } else {
            for item in damage { Console.result("\(item.file): \(item.reason)") }
            Console.note("'albef index repair \(index)' removes damaged files and keeps the rest")
        }
        ChangeOutput.remark(on: index)
        if !damage.isEmpty { throw ExitCode(1) }
    }
}

/// `albef index repair`: removes damaged files.
struct IndexRepairCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "repair",
        abstract: "Remove damaged files from an index, and keep the rest.",
        discussion: """
            Reads all of the index as 'albef index verify' does, and removes each missing or \
            damaged file with all its entries. 'albef index' on their folder encodes them again.

              albef index repair pictures.index
            """)

    @Argument(help: ArgumentHelp("The index.", valueName: "directory"), completion: .directory)
    var index: String

    @Flag(help: "Print the removed files as JSON.")
    var json = false

    func run() async throws {
        let index = FilePath(index)
        let report = try await Interrupts.cancelling("stopping; the index is unchanged") {
            var bar = ProgressBar("verifying", unit: "files")
            defer { bar.finish() }
            return try ForwardIndex.repair(index) { done, total in
                try Task.checkCancellation()
                bar.show(done, of: total)
            }
        }
        if json {
            try Console.json(RepairOutput(report))
            return
        }
        for item in report.damage { Console.note("removed \(item.file): \(item.reason)") }
        let noun = try ForwardIndex(index).content == .images ? "images" : "texts"
        guard !report.damage.isEmpty else {
            Console.result("nothing is damaged: \(report.left) \(noun)")
            return
        }
        Console.result("removed \(report.dropped) \(noun); \(report.left) are left")
        if report.dropped > 0 {
            Console.note("'albef index' on their folder encodes them again")
        }
        if report.droppedGraph {
            Console.note("the graph was removed; 'albef index graph' makes a new one")
        }
    }
}

/// The JSON of `albef index repair --json`.
private struct RepairOutput: Encodable {
    struct File: Encodable {
        let file, reason: String
    }

    let dropped, left: Int
    let files: [File]
    let graphDropped: Bool

    enum CodingKeys: String, CodingKey {
        case dropped, left, files
        case graphDropped = "graph_dropped"
    }

    init(_ report: IndexRepair) {
        dropped = report.dropped
        left = report.left
        files = report.damage.map { File(file: $0.file.description, reason: $0.reason) }
        graphDropped = report.droppedGraph
    }
}

/// `albef index compact`: frees the space of removed entries.
struct IndexCompactCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compact",
        abstract: "Rewrite an index in few files, without removed entries.",
        discussion: """
            Searches can use the index meanwhile. An interruption loses nothing. A graph is kept.

              albef index compact pictures.index
            """)

    @Argument(help: ArgumentHelp("The index.", valueName: "directory"), completion: .directory)
    var index: String

    @Flag(help: "Print the sizes as JSON.")
    var json = false

    func run() async throws {
        let index = FilePath(index)
        let before = try ForwardIndex(index).statistics
        try await Interrupts.cancelling("stopping after this file") {
            var bar = ProgressBar("compacting", unit: "files")
            defer { bar.finish() }
            try ForwardIndex.compact(index) { done, total in
                try Task.checkCancellation()
                bar.show(done, of: total)
            }
        }
        let after = try ForwardIndex(index).statistics
        if json {
            try Console.json([
                "bytes_before": before.byteCount, "bytes_after": after.byteCount,
                "segments_before": before.segments, "segments_after": after.segments,
            ])
        } else {
            Console.result(
                "\(NumberText.bytes(Double(before.byteCount))) in \(before.segments) files became"
                    + " \(NumberText.bytes(Double(after.byteCount))) in \(after.segments)")
        }
        ChangeOutput.remark(on: index)
    }
}
