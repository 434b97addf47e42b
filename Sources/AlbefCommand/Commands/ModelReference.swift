import ALBEF
package import Downloads
import Foundation
package import Retrieval
package import SystemPackage

/// What somebody means by the name of a model: a directory, or an entry of the catalogue.
package enum ModelReference: Sendable, Hashable {
    /// A directory, which need not exist.
    case directory(FilePath)
    /// A model that is fetched when it is first used.
    case published(ModelCatalog.Entry)

    /// Reads a name.
    ///
    /// The name of a shipped model comes first, then a path that exists, then a name of the
    /// catalogue. What starts with a slash or a point, or ends with a slash, is a path in any case.
    ///
    /// - Throws: ``ModelNameError`` for a name that means nothing; it says which ones are near.
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

    /// What people call the model, once it lies at a path.
    ///
    /// A model that was fetched lies in a folder that is not called as it is, and what it knows is
    /// written in the catalogue.
    package func named(at path: FilePath) -> NamedModel {
        switch self {
        case .directory: NamedModel(path)
        case .published(let entry): NamedModel(path, name: entry.name, knows: entry.knows)
        }
    }
}
