internal import Foundation

/// Reads the `normalizer` of a `tokenizer.json`.
enum NormalizerFile {
    /// Returns the changes in order; none if the part is missing.
    static func normalizers(_ part: JSONPart?) throws(TokenizerError) -> [TextNormalizer] {
        guard let part else { return [] }
        let all = try read(part)
        var growth = 1
        for normalizer in all {
            // The factors are hardly above the limit, so the product does not overflow.
            growth *= min(normalizer.growth, TextNormalizer.maximumGrowth + 1)
            guard growth <= TextNormalizer.maximumGrowth else {
                throw part.fault(
                    "the changes can make a text more than \(TextNormalizer.maximumGrowth) times"
                        + " as long")
            }
        }
        return all
    }

    private static func read(_ part: JSONPart) throws(TokenizerError) -> [TextNormalizer] {
        let object = try JSONObject(part)
        let type = try object.type()
        switch type {
        case "Sequence":
            var all: [TextNormalizer] = []
            for element in try object.required("normalizers").elements() {
                all += try read(element)
            }
            return all
        case "Lowercase": return [.lowercase]
        case "NFC": return [.normalForm(.nfc)]
        case "NFD": return [.normalForm(.nfd)]
        case "NFKC": return [.normalForm(.nfkc)]
        case "NFKD": return [.normalForm(.nfkd)]
        case "StripAccents": return [.stripAccents]
        case "Replace": return [try replacement(object)]
        case "Prepend": return [.prepend(try object.required("prepend").string())]
        case "Strip":
            return [
                .strip(
                    left: try object.flag("strip_left", default: true),
                    right: try object.flag("strip_right", default: true))
            ]
        case "Precompiled": return try precompiled(try object.required("precompiled_charsmap"))
        default:
            throw part.unsupported(
                "the normalizer \(type) is not supported; supported are Sequence, Lowercase, NFC, "
                    + "NFD, NFKC, NFKD, StripAccents, Replace, Prepend, Strip and Precompiled, and "
                    + "BertNormalizer with WordPiece")
        }
    }

    private static func replacement(
        _ object: JSONObject
    ) throws(TokenizerError) -> TextNormalizer {
        let pattern = try JSONObject(try object.required("pattern"))
        let content = try object.required("content").string()
        if let text = pattern["String"] {
            return .replaceText(try text.string(), by: content)
        }
        let expression = try pattern.required("Regex")
        switch try expression.string() {
        case "\\s+": return .replaceWhiteSpace(by: content)
        case " {2,}": return .replaceSpaces(by: content)
        case let other:
            throw expression.unsupported(
                "the expression \(other) is not supported; supported are '\\s+' and ' {2,}'")
        }
    }

    private static func precompiled(_ part: JSONPart) throws(TokenizerError) -> [TextNormalizer] {
        guard let bytes = Data(base64Encoded: try part.string()) else {
            throw part.fault("is not base64")
        }
        if bytes.isEmpty { return [] }
        do throws(CharacterMap.Fault) {
            return [.characterMap(try CharacterMap(bytes))]
        } catch {
            throw part.fault(error.description)
        }
    }
}
