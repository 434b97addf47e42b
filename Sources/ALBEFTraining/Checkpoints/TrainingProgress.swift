import Storage
import WeightFiles
import ImageText
import SystemPackage
import Torch

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// How far a run is.
///
/// A file of its own in each checkpoint: an evaluation changes it after the checkpoint was made.
struct TrainingProgress: Codable, Equatable {
    /// Steps taken.
    var step = 0
    /// Where the data goes on.
    var position = BatchLoader.Position()
    /// Whether the evaluation that follows the last step is still to be made.
    var isEvaluationDue = false
    /// The best mean recall so far, in percent.
    var bestRecall: Double?
    /// The loss scale of half precision.
    var lossScale = 65_536.0
    /// Steps since the loss scale last changed.
    var goodSteps = 0

    private static let fileName = "progress.json"

    /// The start of a run.
    init() {}

    /// Reads how far a checkpoint is.
    ///
    /// - Parameter file: the checkpoint's tensors, whose metadata say it in older runs.
    /// - Throws: ``TrainingError`` that names the file that is damaged or does not say it.
    init(checkpoint: FilePath, olderIn file: SafetensorsFile) throws {
        let path = checkpoint.appending(Self.fileName)
        let own = try path.bytesIfPresent()
        let place = own == nil ? file.path.string : path.string
        guard let bytes = own ?? file.metadata["progress"].map({ Array($0.utf8) }) else {
            throw TrainingError.settingsFile(place, "does not say how far the run is")
        }
        do {
            self = try RunJSON.decoder().decode(TrainingProgress.self, from: Data(bytes))
        } catch {
            throw TrainingError.settingsFile(place, "is damaged: \(RunJSON.reason(error))")
        }
        let counts = [step, position.epoch, position.batch, goodSteps]
        guard counts.allSatisfy({ (0...1_000_000_000_000_000).contains($0) }), lossScale >= 1,
            lossScale.isFinite
        else { throw TrainingError.settingsFile(place, "is damaged: a number is out of range") }
    }

    /// Writes the file into a checkpoint, in the place of an older one.
    func write(to checkpoint: FilePath) throws {
        try AtomicFile.write(
            RunJSON.encoder(.prettyPrinted).encode(self), to: checkpoint.appending(Self.fileName))
    }
}
