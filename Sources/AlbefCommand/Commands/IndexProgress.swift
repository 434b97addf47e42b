import Retrieval
import SystemPackage

/// What a person sees of an update of an index while it goes on.
struct IndexProgress {
    private let unit: String
    private var bar: ProgressBar
    private var isLinking = false
    private var isSaid = false

    /// Starts the clock.
    ///
    /// - Parameter unit: what is counted.
    init(unit: String) {
        self.unit = unit
        bar = ProgressBar("indexing", unit: unit)
    }

    /// Shows how far it is, and says once that the index of another model answers meanwhile.
    mutating func show(_ progress: Indexer.Progress) {
        if let replaced = progress.replaced, !isSaid {
            isSaid = true
            Console.note(
                "building beside the index of \(replaced.displayed); searches use it until this is"
                    + " done")
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

    /// Leaves the line, so that what follows starts on one of its own.
    func finish() { bar.finish() }
}

/// An unfinished change of an index to another model, as `albef index stats` shows it.
struct ChangeOutput: Encodable {
    let model, fingerprint: String
    let encoded, photos: Int

    /// Describes a change.
    ///
    /// - Parameter count: entries of the index that will be replaced.
    init(_ successor: IndexSuccessor, of count: Int) {
        model = successor.model.title
        fingerprint = successor.model.fingerprint
        encoded = successor.count
        // A folder may have grown since.
        photos = max(count, successor.count)
    }

    /// The model, and how far the change is.
    func text(_ noun: String) -> String {
        "to \(model.displayed), \(encoded) of \(photos) \(noun) encoded"
    }

    /// Says that a change was begun and is not finished, and what can be done about it.
    ///
    /// - Parameter command: what `albef index` makes the index of.
    static func remark(on index: FilePath, continuing command: String = "PHOTOS") {
        guard let successor = IndexSuccessor(of: index), let forward = try? ForwardIndex(index)
        else { return }
        let noun = forward.content == .images ? "photos" : "texts"
        let change = ChangeOutput(successor, of: forward.count)
        Console.note(
            "note: a change of this index \(change.text(noun)), is not finished: 'albef index"
                + " \(command.displayed) --index \(index.displayed)"
                + " \(successor.model.options.displayed)' goes on with it; deleting"
                + " \(successor.directory.displayed) gives it up")
    }
}
