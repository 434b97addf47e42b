import Torch

/// Where the tensors of a layout go.
///
/// In names, `#` stands for a number and `@` for `weight` or `bias`; what they stand for in the
/// source they stand for in the target.
struct TensorRule {
    /// What becomes of a tensor on its way.
    enum Form {
        /// It stays as it is, up to dimensions of size 1.
        case same
        /// A matrix whose two dimensions are exchanged: `x @ P` there, `P x` here.
        case transposed
        /// It is one of several whose rows follow each other in the target.
        case part(Int, of: Int)
        /// Its rows are those of several targets, whose names have these words instead of `?`.
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

    /// The name of the target, if the rule is about a tensor.
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

    /// What the placeholders stand for, if a name fits a pattern.
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
    /// Rules under other names: both sides get something in front.
    static func prefixed(
        _ rules: [TensorRule], source: String, target: String
    ) -> [TensorRule] {
        rules.map { TensorRule(source + $0.source, target + $0.target, $0.form) }
    }
}
