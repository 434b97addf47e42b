extension DecodingError {
    /// The name of the field, such as `images[2].caption`; empty for the whole document.
    package var field: String {
        let path =
            switch self {
            case .keyNotFound(let key, let context): context.codingPath + [key]
            case .typeMismatch(_, let context), .valueNotFound(_, let context),
                .dataCorrupted(let context):
                context.codingPath
            @unknown default: [any CodingKey]()
            }
        return path.reduce(into: "") { field, key in
            if let index = key.intValue {
                field += "[\(index)]"
            } else {
                field += (field.isEmpty ? "" : ".") + key.stringValue
            }
        }
    }

    /// What is wrong with the field, without a full stop, because more text may follow.
    package var problem: String {
        switch self {
        case .keyNotFound: return "is missing"
        case .valueNotFound: return "is null"
        case .typeMismatch(let type, _) where type == String.self: return "is not a string"
        case .typeMismatch(_, let context), .dataCorrupted(let context):
            let text = context.debugDescription
            return text.hasSuffix(".") ? String(text.dropLast()) : text
        @unknown default: return "\(self)"
        }
    }

    /// The field and its problem, in one line.
    package var reason: String {
        if field.isEmpty { return problem }
        return problem.hasPrefix("is ") ? "'\(field)' \(problem)" : "\(field): \(problem)"
    }

    /// Returns the reason of a decoder's error; its description if it is another error.
    package static func reason(of error: any Error) -> String {
        (error as? DecodingError)?.reason ?? "\(error)"
    }
}
