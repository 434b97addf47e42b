/// The configurations that ship with the project, as YAML text that explains every key.
public enum Presets {
    /// The names of the presets; the paper's model comes first.
    public static let names = ["albef", "clip", "wenlan", "single-tower", "wardrobe"]

    /// Returns the text of a preset.
    ///
    /// - Throws: ``TrainingError`` if no preset has this name.
    public static func text(_ name: String) throws -> String {
        let bytes: [UInt8]
        switch name {
        case "albef": bytes = PackageResources.albef_yaml
        case "clip": bytes = PackageResources.clip_yaml
        case "wenlan": bytes = PackageResources.wenlan_yaml
        case "single-tower": bytes = PackageResources.single_tower_yaml
        case "wardrobe": bytes = PackageResources.wardrobe_yaml
        default:
            throw TrainingError.settingsFile(
                "preset '\(name)'", "is unknown; choose one of \(names.joined(separator: ", "))")
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
