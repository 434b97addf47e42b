internal import Foundation
public import SystemPackage

/// The models that come with the program.
public enum ShippedModel: String, Sendable, Hashable, CaseIterable {
    /// Drawn scenes of people in clothes, in English and Chinese: knows no photos.
    case wardrobe

    /// Its directory; nil where the program was copied without its resources.
    public var directory: FilePath? {
        let folder = Bundle.module.resourceURL?.appending(path: "Models").appending(path: rawValue)
        guard let folder, FileManager.default.fileExists(atPath: folder.path) else { return nil }
        return FilePath(folder.path)
    }

    /// The directory that a name or a path means; a directory of that name comes first.
    public static func resolve(_ model: String) -> FilePath {
        let path = FilePath(model)
        if FileManager.default.fileExists(atPath: model) { return path }
        return ShippedModel(rawValue: model)?.directory ?? path
    }
}
