public import SystemPackage

/// A model directory with what people call the model.
public struct NamedModel: Sendable, Hashable {
    /// The directory.
    public var path: FilePath
    /// What people call the model; nil for the name of its directory.
    public var name: String?
    /// What it knows, where its directory has no card.
    public var knows: String?

    /// Names a model.
    public init(_ path: FilePath, name: String? = nil, knows: String? = nil) {
        self.path = path
        self.name = name
        self.knows = knows
    }
}
