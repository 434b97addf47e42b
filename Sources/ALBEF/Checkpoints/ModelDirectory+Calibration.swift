import Storage
import SystemPackage
import Torch

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension ModelDirectory {
    /// Writes a calibration beside the weights and replaces an earlier one.
    ///
    /// The calibration does not change the model's ``fingerprint``, so existing indexes remain
    /// valid.
    ///
    /// - Throws: `FileError` if the file cannot be written.
    public func write(_ calibration: MatchCalibration) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        try AtomicFile.write(
            Array(try encoder.encode(calibration)) + [0x0A],
            to: path.appending(Self.calibrationName))
    }

}

extension MatchCalibration {
    /// Reads a calibration from a file.
    ///
    /// - Throws: ``ModelFileError`` if the file is not a calibration; `FileError` if it cannot be
    ///   read.
    init(contentsOf path: FilePath) throws {
        let bytes = try MappedFile(path).withUnsafeBytes { Data($0) }
        guard let calibration = try? JSONDecoder().decode(MatchCalibration.self, from: bytes),
            calibration.temperature > 0, calibration.temperature.isFinite,
            calibration.bias.isFinite, (0...1).contains(calibration.least ?? 0)
        else {
            throw ModelFileError(
                path,
                .configuration(
                    "is not a calibration: it needs a temperature above 0 and a bias, and may have"
                        + " a least probability from 0 to 1"))
        }
        self = calibration
    }
}
