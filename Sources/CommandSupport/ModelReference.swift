import ALBEF
package import Downloads
import Foundation
package import Retrieval
package import SystemPackage

/// The model that a name stands for: a directory, or an entry of the catalogue.
package enum ModelReference: Sendable, Hashable {
    /// A directory, which need not exist.
    case directory(FilePath)
    /// A model that is fetched on first use.
    case published(ModelCatalog.Entry)

    /// Resolves a name.
    ///
    /// The names of shipped models come first, then existing paths, then the names of the
    /// catalogue. A name that begins with a slash or a dot, or ends with a slash, is always a path.
    ///
    /// - Throws: `ModelNameError` for an unknown name; its text suggests similar ones.
    package init(_ name: String, catalog: ModelCatalog = .published) throws {
        if let shipped = ShippedModel(rawValue: name)?.directory {
            self = .directory(shipped)
        } else if name.hasPrefix("/") || name.hasPrefix(".") || name.hasSuffix("/")
            || FileManager.default.fileExists(atPath: name)
        {
            self = .directory(FilePath(name))
        } else {
            self = .published(try catalog.entry(named: name))
        }
    }

    /// Returns the model with its name, given the path of its directory.
    ///
    /// The folder of a fetched model has another name than the model, and its summary is in the
    /// catalogue.
    package func named(at path: FilePath) -> NamedModel {
        switch self {
        case .directory: NamedModel(path)
        case .published(let entry): NamedModel(path, name: entry.name, subject: entry.subject)
        }
    }
}
