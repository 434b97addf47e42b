import Torch

/// A rule that maps tensors of a layout to those of this project.
///
/// In names, `#` stands for a number and `@` for `weight` or `bias`; the target gets what they
/// match in the source.
struct TensorRule {
    /// The relation of a source tensor to its target.
    enum Form {
        /// The same tensor, up to dimensions of size 1.
        case same
        /// A matrix whose two dimensions are exchanged: `x @ P` there, `P x` here.
        case transposed
        /// One of several tensors whose rows are concatenated in the target.
        case part(Int, of: Int)
        /// A tensor whose rows belong to several targets, named with these words instead of `?`.
        case split([String])
    }

    let source: String
    let target: String
    let form: Form

    init(_ source: String, _ target: String, _ form: Form = .same) {
        self.source = source
        self.target = target
        self.form = form
    }

    /// Returns the name of the target; nil if the rule does not match.
    func target(of name: String) -> String? {
        guard let found = Self.match(Substring(source), Substring(name)) else { return nil }
        var (result, rest) = ("", found[...])
        for character in target {
            if character == "#" || character == "@" {
                result += rest.popFirst() ?? ""
            } else {
                result.append(character)
            }
        }
        return result
    }

    /// Returns what the placeholders stand for; nil if the name does not match the pattern.
    private static func match(_ pattern: Substring, _ name: Substring) -> [String]? {
        var (pattern, name, found) = (pattern, name, [String]())
        while let wanted = pattern.popFirst() {
            switch wanted {
            case "#":
                let digits = name.prefix { $0.isASCII && $0.isNumber }
                guard !digits.isEmpty else { return nil }
                found.append(String(digits))
                name = name.dropFirst(digits.count)
            case "@":
                guard let word = ["weight", "bias"].first(where: { name.hasPrefix($0) }) else {
                    return nil
                }
                found.append(word)
                name = name.dropFirst(word.count)
            default: guard name.popFirst() == wanted else { return nil }
            }
        }
        return name.isEmpty ? found : nil
    }
}

extension TensorRule {
    /// Returns rules with prefixes added to both names.
    static func prefixed(
        _ rules: [TensorRule], source: String, target: String
    ) -> [TensorRule] {
        rules.map { TensorRule(source + $0.source, target + $0.target, $0.form) }
    }
}
