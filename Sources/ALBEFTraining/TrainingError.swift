/// An error that prevents a run from starting or continuing, or a model from being evaluated.
public struct TrainingError: Error, Sendable, Hashable, CustomStringConvertible {
    private enum Code: Sendable, Hashable {
        case setting, settingsFile, notARun, occupied, locked, otherSettings, notFinite, tooFewRows,
            nothingToEvaluate, evaluation, outOfMemory, device, trunkMaps, scoreNotFinite,
            ranks
    }

    private let code: Code
    /// A description of the problem in one or two lines.
    public let description: String

    private init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }

    static func setting(_ key: String, _ problem: String) -> TrainingError {
        TrainingError(.setting, "configuration: \(key) \(problem)")
    }

    static func settingsFile(_ place: String, _ problem: String) -> TrainingError {
        TrainingError(.settingsFile, "\(place): \(problem)")
    }

    package static func notARun(_ path: String, _ missing: String) -> TrainingError {
        TrainingError(.notARun, "\(path): is not a training run: it has no \(missing)")
    }

    static func occupied(_ path: String) -> TrainingError {
        TrainingError(
            .occupied,
            "\(path): contains a run already; resume it with --resume, or choose another directory")
    }

    static func locked(_ path: String) -> TrainingError {
        TrainingError(
            .locked,
            "\(path): another process is training this run; wait until it ends, or stop it first")
    }

    static func otherSettings(_ path: String, _ keys: [String]) -> TrainingError {
        TrainingError(
            .otherSettings,
            "\(path): this run was begun with other settings (\(keys.joined(separator: ", ")));"
                + " a run resumes with its own settings, so give --resume alone")
    }

    static func notFinite(step: Int, loss: Double, report: String) -> TrainingError {
        TrainingError(
            .notFinite,
            "step \(step): the loss is \(loss.plainText); the images and captions of its batch are"
                + " listed in \(report)")
    }

    /// - Parameter names: At least one parameter whose gradient cannot be used.
    static func notFinite(step: Int, gradientsOf names: [String], report: String) -> TrainingError {
        let shown = names.prefix(3).map { "'\($0)'" }.joined(separator: ", ")
        let rest = names.count > 3 ? " and \(names.count - 3) more" : ""
        let what =
            names.count == 1
            ? "the gradient of \(shown) overflows or is not a number"
            : "the gradients of \(shown)\(rest) overflow or are not numbers"
        return TrainingError(
            .notFinite,
            "step \(step): \(what), so the step was not taken; the images and captions of its batch"
                + " are listed in \(report)")
    }

    /// - Parameters:
    ///   - source: The name of the data: its files, with the setting that names them.
    ///   - images: The number of images in the data.
    static func nothingToEvaluate(_ source: String, images: Int) -> TrainingError {
        TrainingError(
            .nothingToEvaluate,
            images == 0
                ? "\(source): contains no images to evaluate; name data with images"
                : "\(source): none of the \(images) images has a caption, so there is nothing to"
                    + " evaluate; name data with captions")
    }

    /// Another process that trains in this run is missing.
    ///
    /// - Parameters:
    ///   - step: The step that could not be taken.
    ///   - checkpoint: The newest checkpoint and its step; nil if there is none.
    static func ranks(
        step: Int, _ reason: String, checkpoint: (path: String, step: Int)?
    ) -> TrainingError {
        let advice = fate(checkpoint, ", on any number of processes")
        return TrainingError(.ranks, "step \(step): \(reason). \(advice)")
    }

    /// The device of the run failed, and with it the state of the run in its memory.
    static func device(
        step: Int, _ reason: String, checkpoint: (path: String, step: Int)?
    ) -> TrainingError {
        TrainingError(
            .device,
            "step \(step): the device failed (training.device): \(reason). \(fate(checkpoint, ""))")
    }

    /// What to do after a failure in which no checkpoint could be saved.
    private static func fate(
        _ checkpoint: (path: String, step: Int)?, _ place: String
    ) -> String {
        checkpoint.map {
            "Resume with --resume from \($0.path), which holds step \($0.step)\(place)"
        }
            ?? "The run has no checkpoint yet, so delete its directory and begin it again"
    }

    /// The first process could not evaluate or write.
    static func firstRank(_ reason: String) -> TrainingError {
        TrainingError(.ranks, "rank 0 ended the run: \(reason)")
    }

    /// A process was started with other settings.
    static func otherRanks(rank: Int, _ keys: [String]) -> TrainingError {
        TrainingError(
            .ranks,
            keys.isEmpty
                ? "another process was started with other settings; start all with the same ones"
                : "rank \(rank) was started with other settings than rank 0"
                    + " (\(keys.joined(separator: ", "))); start all with the same ones")
    }

    static func trunkMaps(_ path: String, _ problem: String) -> TrainingError {
        TrainingError(.trunkMaps, "\(path): \(problem)")
    }

    /// - Parameter place: The file and the item.
    static func scoreNotFinite(_ place: String) -> TrainingError {
        TrainingError(
            .scoreNotFinite,
            "\(place): has a score that is not a finite number: the model's weights are damaged,"
                + " or its training diverged; use another checkpoint")
    }

    /// - Parameters:
    ///   - source: The name of the data.
    ///   - what: The missing kind of entry, such as `items`.
    ///   - reason: The reason why there are none.
    static func nothingToEvaluate(_ source: String, _ what: String, _ reason: String)
        -> TrainingError
    {
        TrainingError(
            .nothingToEvaluate, "\(source): contains no \(what) to evaluate: \(reason)")
    }

    static func evaluation(step: Int, _ reason: any Error) -> TrainingError {
        TrainingError(
            .evaluation,
            "the evaluation after step \(step) failed: \(reason); the run is saved up to this step:"
                + " fix the cause and resume with --resume")
    }

    /// - Parameter saved: The result of saving a checkpoint after the failure; nil if other processes
    ///   take part, so that none could be saved.
    static func outOfMemory(
        step: Int, batchSize: Int, saved: Result<Void, any Error>?
    ) -> TrainingError {
        let fate =
            switch saved {
            case nil: "the run is saved up to its last checkpoint"
            case .success: "the run is saved up to the previous step"
            case .failure(let error): "the run could not be saved either: \(error)"
            }
        return TrainingError(
            .outOfMemory,
            "step \(step): there is not enough memory for a batch of \(batchSize) pairs"
                + " (training.batch_size); \(fate). Free memory and resume with --resume, or begin"
                + " a run with a smaller batch and more training.accumulation, or with"
                + " training.gradient_checkpointing; 'albef plan' with the same settings names what"
                + " fits")
    }

    static func tooFewRows(rows: Int, batchSize: Int) -> TrainingError {
        TrainingError(
            .tooFewRows,
            "configuration: data.train has \(rows) rows, too few for one step of"
                + " \(batchSize) pairs (training.batch_size x training.accumulation); lower these"
                + " settings or add data")
    }
}
