internal import SystemPackage

/// An error that prevents an export of features.
public struct FeatureExportError: Error, Sendable, Hashable, CustomStringConvertible {
    private enum Code: Sendable, Hashable { case notStored, noModel, skipped, nothing, texts }

    private let code: Code
    /// The problem and the remedy, in one line.
    public let description: String

    private init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }

    /// Whether a row would have been left out, which a strict export does not accept.
    public var isOfSkippedRow: Bool { code == .skipped }

    static func notStored(
        _ index: FilePath, _ kind: FeatureKind, _ reason: String
    ) -> FeatureExportError {
        FeatureExportError(
            .notStored,
            "\(index): this index has no vectors of the kind '\(kind.rawValue)': \(reason); name the"
                + " folder of its images instead")
    }

    static let noModel = FeatureExportError(
        .noModel, "images and texts need a model that encodes them; only an index needs none")

    package static func skipped(_ row: FeatureExport.Skipped) -> FeatureExportError {
        FeatureExportError(.skipped, "\(row); a strict export leaves nothing out")
    }

    package static let nothing = FeatureExportError(
        .nothing, "there is nothing to export: no image or text could be read")

    static func texts(_ kind: FeatureKind) -> FeatureExportError {
        FeatureExportError(
            .texts,
            "texts have no vectors of the kind '\(kind.rawValue)'; export them with 'aligned', or"
                + " with 'fused' together with their images")
    }
}
