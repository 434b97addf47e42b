public import SystemPackage

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
        ProgramResources.folder("Models/\(rawValue)", of: "Retrieval")
    }
}
