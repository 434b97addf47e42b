package import Yams

/// A mistake in settings written as YAML.
package struct SettingsFault: Error {
    /// The file, and the line if it is known.
    package let place: String
    /// What is wrong there.
    package let problem: String

    /// Creates a fault at a node.
    package init(_ node: Node, in place: String, _ problem: String) {
        self.init(node.mark, in: place, problem)
    }

    fileprivate init(_ mark: Mark?, in place: String, _ problem: String) {
        self.place = mark.map { "\(place):\($0.line)" } ?? place
        self.problem = problem
    }
}

/// Parses settings written as YAML.
package enum SettingsYAML {
    /// The most values of a document.
    ///
    /// An alias counts as often as it repeats what it stands for, so aliases of aliases cannot
    /// multiply a small file without end.
    private static let maximumValues = 100_000

    /// Returns the root node of a document, an empty mapping if there is no text.
    ///
    /// - Parameters:
    ///   - text: The document.
    ///   - place: The name of the file for errors.
    /// - Throws: ``SettingsFault`` that names the line.
    package static func parse(_ text: String, place: String) throws(SettingsFault) -> Node {
        let root = try composed(text, place: place)
        var rest = maximumValues
        guard has(root, within: &rest) else {
            throw SettingsFault(
                Mark?.none, in: place,
                "has more than \(maximumValues) values, each alias counted with what it repeats")
        }
        return root
    }

    /// Returns whether a node has no more than `rest` values, and subtracts them.
    private static func has(_ node: Node, within rest: inout Int) -> Bool {
        rest -= 1
        guard rest >= 0 else { return false }
        switch node {
        case .mapping(let mapping):
            for (key, value) in mapping {
                guard has(key, within: &rest), has(value, within: &rest) else { return false }
            }
        case .sequence(let sequence):
            for value in sequence {
                guard has(value, within: &rest) else { return false }
            }
        case .scalar, .alias: break
        }
        return true
    }

    private static func composed(_ text: String, place: String) throws(SettingsFault) -> Node {
        do {
            return try Yams.compose(yaml: text) ?? Node([(Node, Node)]())
        } catch {
            switch error as? YamlError {
            case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
                .composer(_, let problem, let mark, _):
                throw SettingsFault(
                    mark, in: place, "is not valid YAML from this line on: \(problem)")
            case .duplicatedKeysInMapping(let keys, let context):
                throw SettingsFault(
                    context.mark, in: place,
                    "repeats a key; give it once: \(keys.joined(separator: ", "))")
            default:
                throw SettingsFault(
                    Mark?.none, in: place, "is not YAML: it contains bytes that are not text")
            }
        }
    }
}
