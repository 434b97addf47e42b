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
    /// Returns the root node of a document, an empty mapping if there is no text.
    ///
    /// - Parameters:
    ///   - text: The document.
    ///   - place: The name of the file for errors.
    /// - Throws: ``SettingsFault`` that names the line.
    package static func parse(_ text: String, place: String) throws(SettingsFault) -> Node {
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
