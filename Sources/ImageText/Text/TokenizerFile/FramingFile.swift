/// Reads the framing of texts in a `tokenizer.json`: post-processor, truncation and padding.
enum FramingFile {
    static func framing(
        _ root: JSONObject, tokenizer: Tokenizer
    ) throws(TokenizerError) -> TextFraming {
        var framing = TextFraming()
        if let part = root["post_processor"] { try read(part, into: &framing) }
        if let part = root["truncation"] {
            let object = try JSONObject(part)
            try requireRight(object, "direction")
            framing.length = try object.required("max_length").count()
        }
        if let part = root["padding"] {
            let object = try JSONObject(part)
            try requireRight(object, "direction")
            framing.padding = try object.required("pad_id").id()
            let strategy = try object.required("strategy")
            if strategy.isObject {
                let length = try JSONObject(strategy).required("Fixed").count()
                framing.length = min(length, framing.length ?? length)
                framing.isFixedLength = true
            }
        } else if let id = ["<pad>", "[PAD]"].lazy.compactMap({ tokenizer.id(of: $0) }).first {
            framing.padding = id
        }
        if let length = framing.length, length > TextFraming.maximumLength {
            guard !framing.isFixedLength else {
                throw root.part.fault(
                    "padding to \(length) tokens is above the limit of"
                        + " \(TextFraming.maximumLength)")
            }
            // No text is that long.
            framing.length = nil
        }
        if let length = framing.length, length < framing.start.count + framing.end.count {
            throw root.part.fault("a length of \(length) tokens has no room for a text's frame")
        }
        return framing
    }

    private static func requireRight(
        _ object: JSONObject, _ name: String
    ) throws(TokenizerError) {
        if let part = object[name], try part.string() != "Right" {
            throw part.unsupported("only truncation and padding on the right are supported")
        }
    }

    private static func read(
        _ part: JSONPart, into framing: inout TextFraming
    ) throws(TokenizerError) {
        let object = try JSONObject(part)
        let type = try object.type()
        switch type {
        case "ByteLevel": break
        case "Sequence":
            for element in try object.required("processors").elements() {
                try read(element, into: &framing)
            }
        case "BertProcessing", "RobertaProcessing":
            framing.start = [try special(object, "cls")]
            framing.end = [try special(object, "sep")]
        case "TemplateProcessing": try readTemplate(object, into: &framing)
        default:
            throw part.unsupported(
                "the post_processor \(type) is not supported; supported are Sequence, ByteLevel, "
                    + "BertProcessing, RobertaProcessing and TemplateProcessing")
        }
    }

    /// Reads a special token, stored as a pair of its spelling and its id.
    private static func special(
        _ object: JSONObject, _ name: String
    ) throws(TokenizerError) -> Int {
        let part = try object.required(name)
        let pair = try part.elements()
        guard pair.count == 2 else { throw part.fault("is not a pair of a token and its id") }
        return try pair[1].id()
    }

    private static func readTemplate(
        _ object: JSONObject, into framing: inout TextFraming
    ) throws(TokenizerError) {
        let special = try JSONObject(try object.required("special_tokens"))
        let single = try object.required("single")
        guard single.isArray else {
            throw single.unsupported("a template must be an array of parts, not a string")
        }
        var texts = 0
        for element in try single.elements() {
            let piece = try JSONObject(element)
            if let token = piece["SpecialToken"] {
                let name = try JSONObject(token).required("id").string()
                let entry = try JSONObject(try special.required(name))
                var ids: [Int] = []
                for id in try entry.required("ids").elements() { ids.append(try id.id()) }
                if texts == 0 { framing.start += ids } else { framing.end += ids }
            } else {
                _ = try piece.required("Sequence")
                texts += 1
            }
        }
        if texts != 1 { throw single.fault("contains the text \(texts) times instead of once") }
    }
}
