public import SystemPackage

/// A model directory with a name for the model.
public struct NamedModel: Sendable, Hashable {
    /// The directory.
    public var path: FilePath
    /// The name of the model; nil for the name of its directory.
    public var name: String?
    /// The subject of the model's training, used if its directory has no card.
    public var knows: String?

    /// Creates a named model.
    public init(_ path: FilePath, name: String? = nil, knows: String? = nil) {
        self.path = path
        self.name = name
        self.knows = knows
    }
}
