import Foundation
import Storage
public import SystemPackage
import Torch

/// An index of another model that is being built to replace an existing index.
///
/// It is a complete index in the folder `next` of the index that it will replace, and is created
/// and committed to like any other. Readers of the old index ignore it. When it is complete, its
/// files get second names among those of the old index, and its manifest replaces the old one.
/// Before that moment the old index is complete; afterwards the new one is.
public struct IndexSuccessor: Sendable, Hashable {
    /// The name of the folder.
    static let folderName = "next"

    /// The directory of the successor; delete it to abandon the change.
    public let directory: FilePath
    /// The model of the successor.
    public let model: ModelSignature
    /// The number of entries that it contains so far.
    public let count: Int

    /// Finds the unfinished successor in an index; nil if there is none.
    public init?(of index: FilePath) {
        let directory = Self.place(in: index)
        guard let own = try? IndexManifest(directory: index),
            let next = try? IndexManifest(directory: directory), !next.model.isSame(as: own.model)
        else { return nil }
        self.directory = directory
        model = next.model
        count = next.segments.reduce(0) { $0 + $1.living }
    }

    /// Returns the directory of an index's successor.
    static func place(in index: FilePath) -> FilePath { index.appending(folderName) }
}

extension IndexWriter {
    /// Begins a successor, or finds one that was begun with the same model.
    ///
    /// The successor has the same kind of entries as this index. An existing one with a third
    /// model, or with other tokens than requested, is abandoned.
    ///
    /// - Parameters:
    ///   - model: The model of the successor.
    ///   - budget: The tokens that it stores; nil for what this index stores.
    /// - Throws: ``IndexError`` if another process writes to the successor; an error of the file
    ///   system.
    func beginSuccessor(_ model: ModelSignature, budget: TokenBudget?) throws {
        let place = IndexSuccessor.place(in: directory)
        let found = try? IndexManifest(directory: place)
        let isWanted =
            found.map { found in
                found.model.isSame(as: model) && found.content == manifest.content
                    && (budget.map { $0 == found.tokens } ?? true)
            } ?? false
        if !isWanted { giveUpSuccessor() }
        _ = try IndexWriter(
            place, model: model, content: manifest.content,
            budget: found.flatMap { isWanted ? $0.tokens : nil } ?? budget ?? manifest.tokens,
            shard: manifest.shard?.shard)
    }

    /// Replaces this index by its successor.
    ///
    /// - Throws: ``IndexError`` if there is no successor or another process writes to it; an error
    ///   of the file system. Both indexes are then unchanged.
    func adoptSuccessor() throws {
        // The lock is held until the successor's directory is deleted, so that nobody adds entries
        // to it.
        let successor = try IndexWriter(IndexSuccessor.place(in: directory), model: nil)
        try withExtendedLifetime(successor) {
            var next = successor.manifest
            next.generation = manifest.generation + 1
            // This name is free: the writer has deleted every file that the manifest does not name.
            let stem = name(next.generation)
            var names: [String: String] = [:]
            for (position, segment) in next.segments.enumerated() {
                let new = "\(stem)-\(position)"
                try IndexSegment.path(segment.name, in: successor.directory)
                    .addName(IndexSegment.path(new, in: directory))
                names[segment.name] = new
                next.segments[position].name = new
                next.segments[position].directory = String(validating: directory.absolute)
            }
            if var graph = next.graph {
                try GraphFile.path(graph.name, in: successor.directory)
                    .addName(GraphFile.path(stem, in: directory))
                graph.name = stem
                graph.parts = graph.parts.map { part in
                    var part = part
                    part.segment = part.segment.flatMap { names[$0] }
                    return part
                }
                next.graph = graph
            }
            AtomicFile.flushDirectory(directory.appending("segments"))
            try publish(next)
            removeStrays()
            giveUpSuccessor()
        }
    }

    /// Deletes the successor; after the first step, the renaming, nothing finds it.
    private func giveUpSuccessor() {
        let place = IndexSuccessor.place(in: directory)
        let aside = directory.appending(
            ".\(IndexSuccessor.folderName).\(UInt32.random(in: 0 ... .max))")
        if rename(place.string, aside.string) == 0 {
            try? FileManager.default.removeItem(atPath: aside.string)
        }
    }

    /// Deletes the remains of a successor that was adopted or abandoned by a writer that was then
    /// killed.
    func removeReplaced() {
        let prefix = ".\(IndexSuccessor.folderName)."
        for name in (try? FileManager.default.contentsOfDirectory(atPath: directory.string)) ?? []
        where name.hasPrefix(prefix) {
            try? FileManager.default.removeItem(atPath: directory.appending(name).string)
        }
        let next = try? IndexManifest(directory: IndexSuccessor.place(in: directory))
        if next?.model.isSame(as: manifest.model) == true { giveUpSuccessor() }
    }
}

extension FilePath {
    /// Gives a file a second name, by a link or, if the file system does not support links, by a
    /// copy.
    ///
    /// - Returns: Whether it is a link.
    /// - Throws: An error of the file system.
    @discardableResult
    func addName(_ path: FilePath) throws -> Bool {
        if link(string, path.string) == 0 { return true }
        let (file, copy) = (try MappedFile(self), try AtomicFile(path))
        try file.withUnsafeBytes { try copy.write($0) }
        try copy.commit()
        return false
    }
}
