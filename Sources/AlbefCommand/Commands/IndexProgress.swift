import CommandSupport
import Retrieval
import SystemPackage

/// The progress of an index update on the terminal.
struct IndexProgress {
    private let unit: String
    private var bar: ProgressBar
    private var isLinking = false
    private var isSaid = false

    /// Creates a progress bar and starts its clock.
    ///
    /// - Parameter unit: what the bar counts, such as `images`.
    init(unit: String) {
        self.unit = unit
        bar = ProgressBar("indexing", unit: unit)
    }

    /// Shows the progress; notes once if searches use the index of the former model meanwhile.
    mutating func show(_ progress: Indexer.Progress) {
        if let replaced = progress.replaced, !isSaid {
            isSaid = true
            Console.note(
                "building beside the index of \(replaced.displayed), which searches use until this"
                    + " is done")
        }
        if progress.isLinking != isLinking {
            bar.finish()
            isLinking = progress.isLinking
            bar = ProgressBar(isLinking ? "linking" : "indexing", unit: unit)
        }
        if progress.isWaiting {
            bar.finish()
            Console.note("waiting for another process that writes to this index")
        } else if progress.total > 0 {
            bar.show(progress.done, of: progress.total)
        }
    }

    /// Clears the line, so that later output starts on an empty one.
    func finish() { bar.finish() }
}

/// An unfinished change of an index to another model, as `albef index stats` shows it.
struct ChangeOutput: Encodable {
    let model, fingerprint: String
    let encoded, photos: Int

    /// Describes a change.
    ///
    /// - Parameter count: the number of entries in the index to be replaced.
    init(_ successor: IndexSuccessor, of count: Int) {
        model = successor.model.title
        fingerprint = successor.model.fingerprint
        encoded = successor.count
        // The folder may have grown since.
        photos = max(count, successor.count)
    }

    /// Returns the new model and the progress of the change.
    func text(_ noun: String) -> String {
        "to \(model.displayed), \(encoded) of \(photos) \(noun) encoded"
    }

    /// Notes an unfinished change, and how to resume it or give it up.
    ///
    /// - Parameter command: the arguments of `albef index` that name the images or texts.
    static func remark(on index: FilePath, continuing command: String = "IMAGES") {
        guard let successor = IndexSuccessor(of: index), let forward = try? ForwardIndex(index)
        else { return }
        // A shard is named by the folder of all shards.
        let place = forward.shard.map { shard in
            let folder = index.removingLastComponent()
            return "\((folder.isEmpty ? "." : folder).displayed) --shard \(shard)"
        }
        let noun = forward.content == .images ? "images" : "texts"
        let change = ChangeOutput(successor, of: forward.count)
        Console.note(
            "note: a change of this index \(change.text(noun)), is not finished: 'albef index"
                + " \(command.displayed) --index \(place ?? index.displayed)"
                + " \(successor.model.options.displayed)' resumes it; deleting"
                + " \(successor.directory.displayed) gives it up")
    }
}
