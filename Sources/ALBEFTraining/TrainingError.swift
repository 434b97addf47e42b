/// A run that cannot start or go on.
public struct TrainingError: Error, Sendable, Hashable, CustomStringConvertible {
    private enum Code: Sendable, Hashable {
        case setting, settingsFile, notARun, occupied, otherSettings, notFinite, tooFewRows
    }

    private let code: Code
    /// What is wrong, in a line or two.
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

    static func notARun(_ path: String, _ missing: String) -> TrainingError {
        TrainingError(.notARun, "\(path): is no training run: it has no \(missing)")
    }

    static func occupied(_ path: String) -> TrainingError {
        TrainingError(
            .occupied,
            "\(path): holds a run already: continue it with --resume, or choose another directory")
    }

    static func otherSettings(_ path: String, _ keys: [String]) -> TrainingError {
        TrainingError(
            .otherSettings,
            "\(path): this run was started with other settings (\(keys.joined(separator: ", ")));"
                + " a run is resumed with its own: give --resume alone")
    }

    static func notFinite(step: Int, loss: Double, report: String) -> TrainingError {
        TrainingError(
            .notFinite,
            "step \(step): the loss is \(loss.plainText); the pictures and captions of its batch are listed"
                + " in \(report)")
    }

    static func tooFewRows(rows: Int, batchSize: Int) -> TrainingError {
        TrainingError(
            .tooFewRows,
            "configuration: data.train has \(rows) rows, too few for one step of"
                + " \(batchSize) pairs (training.batch_size x training.accumulation)")
    }
}
