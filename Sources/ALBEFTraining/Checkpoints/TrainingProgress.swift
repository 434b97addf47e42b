import ImageText
import Storage
import SystemPackage
import Torch
import WeightFiles

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The progress of a run.
///
/// Each checkpoint stores it in a separate file, because an evaluation changes it after the
/// checkpoint was written.
struct TrainingProgress: Codable, Equatable {
    /// The number of steps taken.
    var step = 0
    /// The position in the data at which the run resumes.
    var position = BatchLoader.Position()
    /// The number of processes that began the position's epoch; nil for one.
    var epochRanks: Int?
    /// Whether the evaluation that follows the last step has not finished yet.
    var isEvaluationDue = false
    /// The best score of an evaluation so far, in percent: a mean recall, or an accuracy.
    var bestScore: Double?
    /// The loss scale for half precision.
    var lossScale = 65_536.0
    /// The number of steps since the loss scale last changed.
    var goodSteps = 0

    private static let fileName = "progress.json"

    private enum CodingKeys: String, CodingKey {
        case step, position, epochRanks, isEvaluationDue
        // Runs have had this name since they had recall alone.
        case bestScore = "bestRecall"
        case lossScale, goodSteps
    }

    /// The start of a run.
    init() {}

    /// Reads the progress of a checkpoint.
    ///
    /// - Parameters:
    ///   - checkpoint: The checkpoint's directory.
    ///   - file: The checkpoint's tensors; older runs keep the progress in the metadata of this
    ///     file.
    /// - Throws: ``TrainingError`` that names the file if it is damaged or holds no progress.
    init(checkpoint: FilePath, olderIn file: SafetensorsFile) throws {
        let path = checkpoint.appending(Self.fileName)
        let own = try path.bytesIfPresent()
        let place = own == nil ? file.path.string : path.string
        guard let bytes = own ?? file.metadata["progress"].map({ Array($0.utf8) }) else {
            throw TrainingError.settingsFile(place, "does not record the progress of the run")
        }
        do {
            self = try RunJSON.decoder().decode(TrainingProgress.self, from: Data(bytes))
        } catch {
            throw TrainingError.settingsFile(
                place, "is damaged: \(DecodingError.reason(of: error))")
        }
        let counts = [step, position.epoch, position.batch, goodSteps, epochRanks ?? 1]
        guard counts.allSatisfy({ (0...1_000_000_000_000_000).contains($0) }), lossScale >= 1,
            lossScale.isFinite
        else { throw TrainingError.settingsFile(place, "is damaged: a number is out of range") }
    }

    /// Writes the progress into a checkpoint, replacing an older file.
    func write(to checkpoint: FilePath) throws {
        try AtomicFile.write(
            RunJSON.encoder(.prettyPrinted).encode(self), to: checkpoint.appending(Self.fileName))
    }
}
