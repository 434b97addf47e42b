/// Reads the `pre_tokenizer` of a `tokenizer.json`.
struct SplitterFile {
    /// The rules that cut a text, in order.
    private(set) var splitters: [PieceSplitter] = []
    /// Whether pieces are spelled by their bytes.
    private(set) var isByteLevel = false

    /// CLIP's expression.
    private static let clip = #"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"#

    /// Reads the part; without it nothing is cut.
    static func splitters(_ part: JSONPart?) throws(TokenizerError) -> SplitterFile {
        var file = SplitterFile()
        if let part { try file.read(part) }
        return file
    }

    private mutating func read(_ part: JSONPart) throws(TokenizerError) {
        let object = try JSONObject(part)
        let type = try object.type()
        if isByteLevel { throw part.unsupported("\(type) after ByteLevel is not supported") }
        switch type {
        case "Sequence":
            for element in try object.required("pretokenizers").elements() { try read(element) }
        case "ByteLevel":
            if try object.flag("add_prefix_space", default: true) { splitters.append(.spaceBefore) }
            // GPT-2's pattern would not cut CLIP's pieces further.
            if try object.flag("use_regex", default: true), splitters.last != .clip(folds: false) {
                splitters.append(.gpt2)
            }
            isByteLevel = true
        case "Split": splitters.append(try Self.split(object))
        case "WhitespaceSplit": splitters.append(.whiteSpace)
        case "BertPreTokenizer": splitters += [.whiteSpace, .punctuation(.isolated)]
        case "Punctuation":
            splitters.append(.punctuation(try Self.separator(object, default: "Isolated")))
        case "Digits":
            let individually = try object.flag("individual_digits", default: false)
            splitters.append(.digits(individually: individually))
        case "Metaspace": splitters.append(try Self.metaspace(object))
        default:
            throw part.unsupported(
                "the pre_tokenizer \(type) is not supported; supported are Sequence, ByteLevel, "
                    + "Split, WhitespaceSplit, BertPreTokenizer, Punctuation, Digits and Metaspace")
        }
    }

    private static func split(_ object: JSONObject) throws(TokenizerError) -> PieceSplitter {
        let pattern = try JSONObject(try object.required("pattern"))
        let isInverted = try object.flag("invert", default: false)
        if let text = pattern["String"], !isInverted {
            let literal = try text.string()
            if literal.isEmpty { throw text.fault("the text is empty") }
            return .literal(literal, try separator(object, default: nil))
        }
        guard let expression = pattern["Regex"] else {
            throw object.part.unsupported("an inverted Split by a string is not supported")
        }
        let text = try expression.string()
        let behaviour = try object.required("behavior").string()
        if text == clip, isInverted, behaviour == "Removed" { return .clip(folds: false) }
        if text == "\\s+", !isInverted, behaviour == "Removed" { return .whiteSpace }
        throw expression.unsupported(
            "the expression \(text) with behavior \(behaviour) is not supported; "
                + "supported are CLIP's and \\s+")
    }

    private static func separator(
        _ object: JSONObject, default value: String?
    ) throws(TokenizerError) -> PieceSplitter.Separator {
        let part = object["behavior"]
        switch try part?.string() ?? value {
        case "Removed": return .removed
        case "Isolated": return .isolated
        case "MergedWithPrevious": return .joinsPrevious
        case "MergedWithNext": return .joinsNext
        case "Contiguous": return .contiguous
        case let other: throw object.part.fault("the behavior '\(other ?? "")' is unknown")
        }
    }

    private static func metaspace(_ object: JSONObject) throws(TokenizerError) -> PieceSplitter {
        let mark = try object.required("replacement").string()
        guard mark.unicodeScalars.count == 1 else {
            throw object.part.fault("\"replacement\" is not one character")
        }
        var prepending = PieceSplitter.Prepending.always
        if let scheme = object["prepend_scheme"] {
            switch try scheme.string() {
            case "always": break
            case "first": prepending = .first
            case "never": prepending = .never
            case let other: throw scheme.fault("the scheme '\(other)' is unknown")
            }
        } else if try !object.flag("add_prefix_space", default: true) {
            prepending = .never
        }
        return .metaspace(
            mark: mark, prepends: prepending, splits: try object.flag("split", default: true))
    }
}
