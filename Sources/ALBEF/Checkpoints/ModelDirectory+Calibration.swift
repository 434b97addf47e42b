import Storage
import SystemPackage
import Torch

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension ModelDirectory {
    /// Stores a calibration beside the weights, in place of an earlier one.
    ///
    /// It is a file of its own, so that the model stays the one that indexes were made with.
    ///
    /// - Throws: `FileError` if it cannot be written.
    public func write(_ calibration: MatchCalibration) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        try AtomicFile.write(
            Array(try encoder.encode(calibration)) + [0x0A],
            to: path.appending(Self.calibrationName))
    }

}

extension MatchCalibration {
    /// Reads a file.
    ///
    /// - Throws: ``ModelFileError`` for what is no calibration; `FileError` if the file cannot
    ///   be read.
    init(contentsOf path: FilePath) throws {
        let bytes = try MappedFile(path).withUnsafeBytes { Data($0) }
        guard let calibration = try? JSONDecoder().decode(MatchCalibration.self, from: bytes),
            calibration.temperature > 0, calibration.temperature.isFinite,
            calibration.bias.isFinite, (0...1).contains(calibration.least ?? 0)
        else {
            throw ModelFileError(
                path,
                .configuration(
                    "no calibration: a temperature above 0, a bias, and a least probability from 0 to 1"
                ))
        }
        self = calibration
    }
}
