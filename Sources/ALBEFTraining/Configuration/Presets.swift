/// The configurations that come with the project, as YAML text with a reason for every key.
public enum Presets {
    /// The names, the paper's model first.
    public static let names = ["albef", "clip", "wenlan", "single-tower", "wardrobe"]

    /// The text of a preset.
    ///
    /// - Throws: ``TrainingError`` for a name that none has.
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
                "preset '\(name)'", "is unknown; there are \(names.joined(separator: ", "))")
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
