/// The configurations that ship with the project, as YAML text that explains every key.
public enum Presets {
    /// The names of the presets for pretraining; the paper's model comes first.
    public static let names = ["albef", "clip", "wenlan", "single-tower", "wardrobe"]

    /// The names of the presets for fine-tuning, which name only what differs from ``base(of:)``.
    public static let taskNames = [
        "retrieval-flickr", "retrieval-coco", "grounding", "vqa", "nlvr", "entailment",
        "text-assignment",
    ]

    /// Returns the preset whose settings hold for all keys that a preset does not name; nil for a
    /// preset that names every key.
    public static func base(of name: String) -> String? {
        taskNames.contains(name) ? "albef" : nil
    }

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
        case "retrieval-flickr": bytes = PackageResources.retrieval_flickr_yaml
        case "retrieval-coco": bytes = PackageResources.retrieval_coco_yaml
        case "grounding": bytes = PackageResources.grounding_yaml
        case "vqa": bytes = PackageResources.vqa_yaml
        case "nlvr": bytes = PackageResources.nlvr_yaml
        case "entailment": bytes = PackageResources.entailment_yaml
        case "text-assignment": bytes = PackageResources.text_assignment_yaml
        default:
            let all = (names + taskNames).joined(separator: ", ")
            throw TrainingError.settingsFile(
                "preset '\(name)'", "is unknown; choose one of \(all)")
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
