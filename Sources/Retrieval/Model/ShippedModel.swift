internal import Foundation
public import SystemPackage

/// The models that come with the program.
public enum ShippedModel: String, Sendable, Hashable, CaseIterable {
    /// Drawn scenes of people in clothes, in English and Chinese: knows no photos.
    case wardrobe

    /// Its directory, beside the program; nil where the program was copied without its resources.
    ///
    /// `Bundle.module` would end the process there.
    public var directory: FilePath? {
        let program = Bundle.main.executableURL?.resolvingSymlinksInPath()
            .deletingLastPathComponent()
        for folder in [Bundle.main.bundleURL, program].compactMap({ $0 }) {
            for bundle in ["resources", "bundle", "bundle/Contents/Resources"] {
                let model = folder.appending(path: "swift-albef_Retrieval.\(bundle)/Models")
                    .appending(path: rawValue)
                if FileManager.default.fileExists(atPath: model.path) {
                    return FilePath(model.path)
                }
            }
        }
        return nil
    }

    /// The directory that a name or a path means; a directory of that name comes first.
    public static func resolve(_ model: String) -> FilePath {
        let path = FilePath(model)
        if FileManager.default.fileExists(atPath: model) { return path }
        return ShippedModel(rawValue: model)?.directory ?? path
    }
}
