import ALBEF
import Foundation
import ImageText
import Storage
public import SystemPackage

/// Keeps a forward index of texts in step with a file, so that searches with images find texts.
///
/// The path of an entry is the path of the file with the line number: `captions.txt#12`. A text is
/// identified by its content, so a line that only moved is not encoded again.
public struct TextIndexer: Sendable {
    private static let batchSize = 64
    private static let commitInterval = 4096
    private static let budget = TokenBudget(count: 0)

    private let model: SearchModel
    private let changesModel: Bool
    private let patience: LockPatience
    private let locator = EntryLocator()

    /// Creates an indexer.
    ///
    /// - Parameters:
    ///   - model: The model that encodes the texts.
    ///   - changesModel: Whether an index of other weights is changed to those of the model, as in
    ///     ``Indexer/Options/changesModel``. Default: false.
    ///   - lockPatience: How long a commit waits while another process writes to the index.
    ///     Default: 30 seconds.
    public init(
        _ model: SearchModel, changesModel: Bool = false, lockPatience: Duration = .seconds(30)
    ) {
        self.model = model
        self.changesModel = changesModel
        patience = LockPatience(limit: lockPatience)
    }

    /// Updates an index from a file, encoding only texts that the index does not contain.
    ///
    /// Entries whose lines were deleted are removed; entries of other files stay. If the task is
    /// cancelled, the update commits the texts encoded so far and returns.
    ///
    /// - Parameters:
    ///   - directory: The index, which is created if it does not exist.
    ///   - file: The file of texts.
    ///   - onProgress: Called after every batch.
    /// - Returns: What the update did; texts that consist of punctuation alone are among the
    ///   failures.
    /// - Throws: ``IndexError`` if the index cannot be written, contains images, or was made with
    ///   another model.
    /// - Complexity: O(n + l) for n entries and l lines, in addition to encoding new texts.
    public func update(
        _ directory: FilePath, with file: TextListFile,
        onProgress: (Indexer.Progress) -> Void = { _ in }
    ) async throws -> Indexer.Report {
        let lines = Texts(file)
        guard changesModel, IndexManifest.exists(in: directory),
            case let old = try ForwardIndex(directory), old.content == .texts,
            old.isToChange(to: model.signature, imageSize: false)
        else { return try await bring(directory, lines, onProgress) }
        func show(_ progress: Indexer.Progress) {
            var progress = progress
            progress.replaced = old.model.title
            onProgress(progress)
        }
        let change = ModelChange(
            directory: directory, model: model.signature, budget: Self.budget, patience: patience)
        return try await change.run {
            show(.init(done: 0, total: 0, isWaiting: true))
        } onLink: {
            show(.init(done: $0, total: $1, isLinking: true))
        } build: { old, place in
            let (all, removed) = try lines.inheriting(old)
            var report = try await bring(place, all, show)
            report.removed = removed
            return report
        }
    }

    /// The entries that an index must have after an update.
    private struct Texts {
        var entries: [IndexEntry]
        /// Returns whether an entry at a path must be one of these entries, or else be removed.
        let covers: @Sendable (FilePath) -> Bool

        /// Creates the entries of a file's lines.
        init(_ file: TextListFile) {
            let path = file.path
            entries = file.lines.map { IndexEntry($0, of: path) }
            covers = { $0.isLine(of: path) }
        }

        private init(_ entries: [IndexEntry]) {
            self.entries = entries
            covers = { _ in true }
        }

        /// Returns these entries with those of other files in an index, and the number of entries
        /// to remove.
        func inheriting(_ old: ForwardIndex) throws -> (Texts, removed: Int) {
            let present = Set(entries.map(\.path))
            var (all, removed) = (Texts(entries), 0)
            for entry in try old.ids.map(old.entry) where !present.contains(entry.path) {
                if covers(entry.path) { removed += 1 } else { all.entries.append(entry) }
            }
            return (all, removed)
        }
    }

    /// Updates an index of this model.
    private func bring(
        _ directory: FilePath, _ texts: Texts, _ onProgress: (Indexer.Progress) -> Void
    ) async throws -> Indexer.Report {
        let snapshot = try await open(directory, onProgress)
        let plan = try Plan(texts, snapshot, model)
        var report = plan.report
        let total = plan.count
        func commit(_ change: IndexChange?) async throws {
            guard let change else { return }
            report.removed += try await self.commit(change, to: directory, reusing: snapshot) {
                onProgress(.init(done: report.encoded, total: total, isWaiting: true))
            }
        }
        if !plan.vanished.isEmpty {
            var change = IndexChange()
            change.content = .texts
            change.removed = plan.vanished
            try await commit(change)
        }
        var pending = PendingEntries(budget: Self.budget, content: .texts)
        func copy(
            _ lines: [Plan.Line], _ sources: [ContentDigest: ForwardIndex.EntryID],
            of index: ForwardIndex
        ) async throws {
            for line in lines where !Task.isCancelled {
                guard let source = sources[line.digest] else { continue }
                try pending.add(line.entry, copying: source, of: index)
                report.reused += 1
                if pending.count >= Self.commitInterval { try await commit(pending.take()) }
            }
        }
        try await copy(plan.copied, plan.sources, of: snapshot)
        for start in stride(from: 0, to: plan.fresh.count, by: Self.batchSize) {
            onProgress(.init(done: report.encoded + report.reused, total: total))
            if Task.isCancelled { break }
            let lines = plan.fresh[start..<min(start + Self.batchSize, plan.fresh.count)]
            let features = try model.features(of: lines.map(\.entry.text))
            pending.add(lines.map(\.entry), features: features)
            report.encoded += lines.count
            if pending.count >= Self.commitInterval { try await commit(pending.take()) }
        }
        try await commit(pending.take())
        if !plan.repeated.isEmpty, !Task.isCancelled {
            let index = try ForwardIndex(directory)
            try await copy(
                plan.repeated, index.sources(Set(plan.repeated.map(\.digest))), of: index)
            try await commit(pending.take())
        }
        report.wasCancelled = Task.isCancelled && report.encoded + report.reused < total
        onProgress(.init(done: report.encoded + report.reused, total: total))
        return report
    }

    /// The steps of an update.
    private struct Plan {
        struct Line {
            let entry: IndexEntry
            let digest: ContentDigest
        }

        /// The lines whose texts the index already contains, in `sources`.
        var copied: [Line] = []
        var sources: [ContentDigest: ForwardIndex.EntryID] = [:]
        /// The lines to encode, one per distinct text.
        var fresh: [Line] = []
        /// The other lines with the same texts as the lines to encode.
        var repeated: [Line] = []
        /// The paths of entries whose lines were deleted.
        var vanished: [FilePath] = []
        /// The results that are known before the update begins.
        var report = Indexer.Report()

        var count: Int { copied.count + fresh.count + repeated.count }

        /// Compares texts with an index.
        ///
        /// - Throws: ``IndexError`` if an entry is damaged.
        init(_ texts: Texts, _ snapshot: ForwardIndex, _ model: SearchModel) throws {
            var known: [FilePath: IndexEntry] = [:]
            for id in snapshot.ids {
                let entry = try snapshot.entry(id)
                if texts.covers(entry.path) { known[entry.path] = entry }
            }
            var changed: [Line] = []
            for entry in texts.entries {
                let digest = ContentDigest(of: Array(entry.text.utf8))
                if known[entry.path] == entry {
                    known[entry.path] = nil
                    report.unchanged += 1
                } else if model.isEmpty(entry.text) {
                    report.failures.append(
                        SkippedFile(
                            path: entry.path, reason: QueryError.empty(entry.text).description))
                } else {
                    known[entry.path] = nil
                    changed.append(Line(entry: entry, digest: digest))
                }
            }
            vanished = Array(known.keys)
            if !changed.isEmpty { sources = try snapshot.sources(Set(changed.map(\.digest))) }
            var seen: Set<ContentDigest> = []
            for line in changed {
                if sources[line.digest] != nil {
                    copied.append(line)
                } else if seen.insert(line.digest).inserted {
                    fresh.append(line)
                } else {
                    repeated.append(line)
                }
            }
        }
    }

    /// Opens the index, and first creates it if it does not exist.
    private func open(
        _ directory: FilePath, _ onProgress: (Indexer.Progress) -> Void
    ) async throws -> ForwardIndex {
        if !IndexManifest.exists(in: directory) {
            var change = IndexChange()
            change.budget = Self.budget
            change.content = .texts
            _ = try await commit(change, to: directory, creates: true) {
                onProgress(.init(done: 0, total: 0, isWaiting: true))
            }
        }
        let index = try ForwardIndex(directory)
        locator.forget(except: index)
        try index.check(model.signature, content: .texts, budget: Self.budget)
        return index
    }

    private func commit(
        _ change: IndexChange, to directory: FilePath, creates: Bool = false,
        reusing snapshot: ForwardIndex? = nil, onWait: () -> Void
    ) async throws -> Int {
        try await patience(onWait: onWait) {
            try ForwardIndex.apply(
                change, to: directory, model: model.signature, locator: locator, creates: creates,
                reusing: snapshot)
        }.count
    }
}

extension IndexManifest {
    /// Returns whether a directory contains an index.
    static func exists(in directory: FilePath) -> Bool {
        FileManager.default.fileExists(atPath: directory.appending(fileName).string)
    }
}

extension FilePath {
    /// Returns whether this is the path of a text's entry: the file's path with `#` and a number.
    fileprivate func isLine(of file: FilePath) -> Bool {
        let (path, file) = (bytes, file.bytes)
        guard path.count > file.count + 1, path.starts(with: file) else { return false }
        let rest = path.dropFirst(file.count)
        return rest.first == UInt8(ascii: "#")
            && rest.dropFirst().allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }
}

extension IndexEntry {
    /// Creates the entry of a line in a file of texts.
    fileprivate init(_ line: TextListFile.Line, of file: FilePath) {
        var metadata = line.metadata
        metadata["text"] = .text(line.text)
        self.init(
            path: FilePath(bytes: file.bytes + Data("#\(line.number)".utf8)),
            size: line.text.utf8.count, modified: 0,
            sha256: ContentDigest(of: Array(line.text.utf8)).hexadecimal,
            metadata: metadata)
    }

    /// The text of the entry; empty for an image.
    var text: String {
        if case .text(let text)? = metadata["text"] { text } else { "" }
    }
}
