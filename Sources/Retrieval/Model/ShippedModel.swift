public import SystemPackage

/// The models that ship with the program.
///
/// What each knows is written on the card in its directory.
public enum ShippedModel: String, Sendable, Hashable, CaseIterable {
    /// Everyday photos.
    case photos
    /// Drawn scenes of people in clothes.
    case wardrobe

    /// The one that is meant where no model is named.
    public static let `default` = ShippedModel.photos

    /// Those whose directories are there.
    public static var available: [ShippedModel] { allCases.filter { $0.directory != nil } }

    /// Its directory, beside the program; nil if the program was copied without its resources.
    public var directory: FilePath? {
        ProgramResources.folder("Models/\(rawValue)", of: "Retrieval")
    }
}
