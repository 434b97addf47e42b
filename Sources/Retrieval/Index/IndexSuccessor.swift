import Storage
import Foundation
public import SystemPackage
import Torch

/// An index of another model that is being made to take the place of one.
///
/// It is a whole index of its own, in the folder `next` of the index that it will replace: made,
/// committed to and killed like any other. Readers of the old index do not look there. When it is
/// complete, its files get second names among those of the old index, and one manifest takes the
/// place of the other. Until that moment the old index is whole, from it on the new one.
public struct IndexSuccessor: Sendable, Hashable {
    /// What the folder is called.
    static let folderName = "next"

    /// Where it is; deleting it gives the change up.
    public let directory: FilePath
    /// What it is made with.
    public let model: ModelSignature
    /// Entries that it has by now.
    public let count: Int

    /// What was begun in an index and is not complete; nil if nothing was.
    public init?(of index: FilePath) {
        let directory = Self.place(in: index)
        guard let own = try? IndexManifest(directory: index),
            let next = try? IndexManifest(directory: directory), !next.model.isSame(as: own.model)
        else { return nil }
        self.directory = directory
        model = next.model
        count = next.segments.reduce(0) { $0 + $1.living }
    }

    /// Where the successor of an index is made.
    static func place(in index: FilePath) -> FilePath { index.appending(folderName) }
}

extension IndexWriter {
    /// Begins a successor, or finds the one that was begun with the same model.
    ///
    /// It holds what this index holds. One of a third model, or that keeps other tokens than are
    /// asked for, is given up for it.
    ///
    /// - Parameter budget: what it keeps of tokens; nil for what this index keeps.
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
            budget: found.flatMap { isWanted ? $0.tokens : nil } ?? budget ?? manifest.tokens)
    }

    /// Puts the successor in the place of this index.
    ///
    /// - Throws: ``IndexError`` if it is not there or another process writes to it; an error of the
    ///   file system. Both are then as they were.
    func adoptSuccessor() throws {
        // Held until the files are gone, so that nobody adds to them.
        let successor = try IndexWriter(IndexSuccessor.place(in: directory), model: nil)
        try withExtendedLifetime(successor) {
            var next = successor.manifest
            next.generation = manifest.generation + 1
            // The writer has deleted every file that the manifest does not name: this name is free.
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

    /// Deletes the successor; from the first step on nothing finds it.
    private func giveUpSuccessor() {
        let place = IndexSuccessor.place(in: directory)
        let aside = directory.appending(
            ".\(IndexSuccessor.folderName).\(UInt32.random(in: 0 ... .max))")
        if rename(place.string, aside.string) == 0 {
            try? FileManager.default.removeItem(atPath: aside.string)
        }
    }

    /// Deletes what is left of a successor that took its place or was given up, if a writer was
    /// killed before it could.
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
    /// Gives a file a second name: by a link, or where the file system has none, by a copy.
    ///
    /// - Throws: an error of the file system.
    fileprivate func addName(_ path: FilePath) throws {
        if link(string, path.string) == 0 { return }
        let (file, copy) = (try MappedFile(self), try AtomicFile(path))
        try file.withUnsafeBytes { try copy.write($0) }
        try copy.commit()
    }
}
