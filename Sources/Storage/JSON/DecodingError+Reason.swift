extension DecodingError {
    /// The field and its problem, in one line.
    package var reason: String {
        switch self {
        case .keyNotFound(let key, let context):
            Self.line(context, "'\(key.stringValue)' is missing")
        case .typeMismatch(_, let context), .valueNotFound(_, let context),
            .dataCorrupted(let context):
            Self.line(context, context.debugDescription)
        @unknown default:
            "\(self)"
        }
    }

    private static func line(_ context: Context, _ what: String) -> String {
        let field = context.codingPath.map { $0.stringValue }.joined(separator: ".")
        // Foundation's sentences end with a full stop, but more text may follow here.
        let what = what.hasSuffix(".") ? String(what.dropLast()) : what
        return field.isEmpty ? what : "\(field): \(what)"
    }
}
