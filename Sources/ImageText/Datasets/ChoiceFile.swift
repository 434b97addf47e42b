internal import Foundation
import Storage
internal import SystemPackage

/// An annotation file of a ``ChoiceDataset``, in any of its formats.
struct ChoiceFile {
    let path: FilePath
    let imageRoot: FilePath?
    /// The kind of items that do not name their own.
    let kind: String

    /// The items of a file.
    struct Content {
        var items: [ChoiceItem] = []
        /// Whether the mean over kinds leaves out those with few items.
        var hasManyKinds = false
    }

    func read() throws(DatasetError) -> Content {
        let bytes = try BenchmarkText.bytes(of: path)
        let text = JSONText.repaired(bytes[...])
        let content: Content
        switch bytes.first(where: { !" \t\r\n".utf8.contains($0) }) {
        case nil: throw .empty(path, "is empty")
        case UInt8(ascii: "["): content = try list(text)
        case UInt8(ascii: "{"):
            content = try BenchmarkText.isObjectOfObjects(text) ? keyed(text) : lines(text)
        default:
            guard let corpus = ChecklistCorpus(bytes) else { throw .noChoices(path) }
            content = try read(corpus)
        }
        guard !content.items.isEmpty else { throw .empty(path, "has no items") }
        return content
    }

    private func list(_ text: ArraySlice<UInt8>) throws(DatasetError) -> Content {
        let entries = try BenchmarkText.list(of: ChoiceEntry.self, text, path)
        return content(entries.enumerated().lazy.map { ("[\($0)]", $1) })
    }

    private func lines(_ text: ArraySlice<UInt8>) throws(DatasetError) -> Content {
        let entries = try BenchmarkText.lines(
            of: ChoiceEntry.self, text, path, unknown: .noChoices(path))
        return content(entries.lazy.map { ("line \($0.number)", $0.value) })
    }

    /// Returns the items of SugarCrepe's object, ordered by key; the keys are numbers with gaps.
    private func keyed(_ text: ArraySlice<UInt8>) throws(DatasetError) -> Content {
        let data = Data(text)
        let entries: [String: ChoiceEntry]
        do {
            entries = try JSONDecoder().decode([String: ChoiceEntry].self, from: data)
        } catch {
            throw .json(error, in: data, of: path)
        }
        let sorted = entries.sorted { left, right in
            let (a, b) = (Int(left.key), Int(right.key))
            return a == b ? left.key < right.key : (a ?? .max) < (b ?? .max)
        }
        return content(sorted.lazy.map { ($0.key, $0.value) })
    }

    private func content(_ entries: some Sequence<(String, ChoiceEntry)>) -> Content {
        let root = imageRoot ?? path.removingLastComponent()
        var content = Content()
        for (place, entry) in entries {
            content.hasManyKinds = content.hasManyKinds || entry.isRegion
            content.items.append(
                ChoiceItem(
                    image: root.pushing(FilePath(entry.image)).lexicallyNormalized(),
                    box: entry.box, positives: entry.positives, negatives: entry.negatives,
                    kind: entry.kind ?? kind, file: path, entry: place))
        }
        return content
    }

    // MARK: VL-CheckList's corpus

    private func read(_ corpus: ChecklistCorpus) throws(DatasetError) -> Content {
        if let type = corpus.type, type != "TUPLE_JSON" {
            throw .malformed(
                path, entry: "TYPE", "is '\(type)'; only TUPLE_JSON is supported")
        }
        guard let annotations = corpus.annotations, !annotations.isEmpty else {
            throw .malformed(path, entry: "ANNO_PATH", "is missing")
        }
        guard let (file, folder) = Self.find(FilePath(annotations), from: path) else {
            throw .malformed(
                path, entry: "ANNO_PATH",
                "'\(annotations)' exists neither in the file's folder nor in any above it")
        }
        let root = (imageRoot ?? folder).pushing(FilePath(corpus.images ?? ""))
        let bytes = try BenchmarkText.bytes(of: file)
        return try ChoiceFile(path: file, imageRoot: root, kind: kind)
            .list(JSONText.repaired(bytes[...]))
    }

    /// Finds the file that a corpus names, in the corpus's own folder or one above it.
    ///
    /// The first component of the name is the checkout's folder, which may have another name here,
    /// so the rest of the name is tried as well.
    private static func find(
        _ name: FilePath, from file: FilePath
    ) -> (file: FilePath, folder: FilePath)? {
        var inside = name
        inside.components = FilePath.ComponentView(name.components.dropFirst())
        var folder = file.removingLastComponent()
        if folder.isRelative {
            folder = FilePath(FileManager.default.currentDirectoryPath).pushing(folder)
                .lexicallyNormalized()
        }
        while true {
            for candidate in [name, inside] where !candidate.isEmpty {
                let path = folder.pushing(candidate)
                if ImageFile.exists(path) { return (path, folder) }
            }
            guard folder.removeLastComponent() else { return nil }
        }
    }
}

/// The three lines of a file of VL-CheckList's corpus.
private struct ChecklistCorpus {
    private(set) var annotations, images, type: String?

    /// Reads the `KEY: "value"` lines; `nil` if the file has no such line for the annotations
    /// or images.
    init?(_ bytes: [UInt8]) {
        for line in TextFile.lines(bytes) {
            let parts = String(decoding: line, as: UTF8.self).split(separator: ":", maxSplits: 1)
            guard parts.count == 2 else { continue }
            let value = parts[1].trimmingCharacters(in: CharacterSet(charactersIn: " \t\"'"))
            switch parts[0].trimmingCharacters(in: .whitespaces) {
            case "ANNO_PATH": annotations = value
            case "IMG_ROOT": images = value
            case "TYPE": type = value
            default: continue
            }
        }
        guard annotations != nil || images != nil else { return nil }
    }
}
