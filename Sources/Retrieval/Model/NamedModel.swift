public import SystemPackage

/// A model directory with a name for the model.
public struct NamedModel: Sendable, Hashable {
    /// The directory.
    public var path: FilePath
    /// The name of the model; nil for the name of its directory.
    public var name: String?
    /// The subject of the model's training, used if its directory has no card.
    public var subject: String?

    /// Creates a named model.
    public init(_ path: FilePath, name: String? = nil, subject: String? = nil) {
        self.path = path
        self.name = name
        self.subject = subject
    }
}

/// The models that ship with the program.
///
/// The card in a model's directory describes its training.
public enum ShippedModel: String, Sendable, Hashable, CaseIterable {
    /// A model for everyday photographs.
    case photos
    /// Drawn scenes of people in clothes.
    case wardrobe

    /// The model to use if none is named.
    public static let `default` = ShippedModel.photos

    /// The models whose directories exist.
    public static var available: [ShippedModel] { allCases.filter { $0.directory != nil } }

    /// The directory of the model, beside the program; nil if the program was copied without its
    /// resources.
    public var directory: FilePath? {
        ProgramResources.path("Models/\(rawValue)", of: "Retrieval")
    }
}
