/// An entry of `optimizer.frozen`, which selects parameters of a model.
///
/// - `image`, `text`, `fusion`, `heads`: a part.
/// - `image.3`, `text.0-2`: one block of a part or several, counted from 0 within the part; both
///   ends are included and must exist.
/// - `image.trunk.0-4`: stages of a convolutional trunk, in the same way; the first includes the
///   stem.
/// - `image.embeddings`, `image.trunk`, `heads.matching` and so on: another section of a part.
/// - `embeddings`: the layers below the first block, for image and text.
/// - `taken`, `new`: the parameters that were taken from other models, or randomly initialized.
/// - `text_encoder.bert.embeddings.word_embeddings`: the beginning of parameter names, up to a dot.
package struct PartPattern: Sendable, Hashable {
    /// The properties of a parameter that patterns test.
    package struct Subject: Sendable, Hashable {
        /// The name of the parameter.
        package var name: String
        /// Its place in the model.
        package var place: ParameterPlace
        /// Whether it was randomly initialized rather than taken from another model.
        package var isNew: Bool

        /// Creates a subject.
        package init(name: String, place: ParameterPlace, isNew: Bool) {
            self.name = name
            self.place = place
            self.isNew = isNew
        }
    }

    private enum Meaning: Sendable, Hashable {
        case part(ModelPart)
        case blocks(Stack, ClosedRange<Int>)
        case embeddings
        case taken
        case new
        /// The address of a place, or the beginning of a name.
        case name
    }

    /// A sequence of numbered blocks or stages.
    private struct Stack: Sendable, Hashable {
        let part: ModelPart
        var isTrunk = false

        /// Parses `text` or `image.trunk`.
        init?(_ words: some Collection<Substring>) {
            guard let name = words.first, let part = ModelPart(rawValue: String(name)) else {
                return nil
            }
            let rest = Array(words.dropFirst())
            guard rest.isEmpty || (part == .image && rest == ["trunk"]) else { return nil }
            (self.part, isTrunk) = (part, !rest.isEmpty)
        }

        init(_ part: ModelPart, isTrunk: Bool = false) {
            (self.part, self.isTrunk) = (part, isTrunk)
        }

        var name: String { isTrunk ? "\(part.rawValue).trunk" : part.rawValue }

        /// A description of the last block or stage, in words.
        var lastWords: String {
            isTrunk ? "stage of this model's trunk" : "block of this model's \(part.words)"
        }

        /// Returns the index of a place in this stack, or nil if it is elsewhere.
        func index(of place: ParameterPlace) -> Int? {
            guard place.part == part else { return nil }
            return switch place.section {
            case .block(let index): isTrunk ? nil : index
            case .trunkStage(let index): isTrunk ? index : nil
            default: nil
            }
        }
    }

    /// The pattern as the settings give it.
    package let text: String
    private let meaning: Meaning

    /// Parses a pattern; an unknown one matches nothing.
    package init(_ text: String) {
        self.text = text
        switch text {
        case "embeddings": meaning = .embeddings
        case "taken": meaning = .taken
        case "new": meaning = .new
        default:
            meaning =
                ModelPart(rawValue: text).map { .part($0) } ?? Self.blocks(text) ?? .name
        }
    }

    private static func blocks(_ text: String) -> Meaning? {
        let words = text.split(separator: ".", omittingEmptySubsequences: false)
        guard let numbers = words.last, let stack = Stack(words.dropLast()) else { return nil }
        let ends = numbers.split(separator: "-", omittingEmptySubsequences: false).map {
            $0.allSatisfy(\.isNumber) ? Int($0) : nil
        }
        guard ends.count <= 2, let first = ends.first ?? nil, let last = ends.last ?? nil,
            first <= last
        else { return nil }
        return .blocks(stack, first...last)
    }

    /// Returns whether the pattern selects a parameter.
    package func matches(_ subject: Subject) -> Bool {
        switch (meaning, subject.place.section) {
        case (.part(let part), _): subject.place.part == part
        case (.blocks(let stack, let range), _):
            stack.index(of: subject.place).map(range.contains) ?? false
        case (.embeddings, let section): section == .embeddings
        case (.taken, _): !subject.isNew
        case (.new, _): subject.isNew
        case (.name, _):
            [subject.place.address, subject.name].contains {
                $0 == text || $0.hasPrefix("\(text).")
            }
        }
    }

    /// Checks that the pattern selects something in a model.
    ///
    /// - Throws: ``TrainingError`` that names the setting and the pattern, and lists the model's
    ///   parts.
    func check(_ subjects: [Subject]) throws(TrainingError) {
        guard subjects.contains(where: matches) else {
            throw .setting(
                "optimizer.frozen",
                "names '\(text)', which this model does not have; it has "
                    + Self.names(of: subjects)
                    + ", embeddings, taken and new, and the starts of parameter names, such as"
                    + " '\(subjects.first?.name ?? "temp")'")
        }
        guard case .blocks(let stack, let range) = meaning else { return }
        let last = Self.blocks(of: stack, in: subjects).last ?? 0
        guard range.upperBound <= last else {
            throw .setting(
                "optimizer.frozen",
                "names '\(text)', but the last \(stack.lastWords) is \(stack.name).\(last)")
        }
    }

    private static func blocks(of stack: Stack, in subjects: [Subject]) -> [Int] {
        Set(subjects.compactMap { stack.index(of: $0.place) }).sorted()
    }

    /// Returns every part with its sections, as in `fusion (fusion.0 to fusion.5)`.
    private static func names(of subjects: [Subject]) -> String {
        ModelPart.allCases.compactMap { part in
            let places = Set(subjects.map(\.place).filter { $0.part == part })
            guard !places.isEmpty else { return nil }
            let stacks = [Stack(part), Stack(part, isTrunk: true)]
            var names = places.filter { place in
                stacks.allSatisfy { $0.index(of: place) == nil }
            }.map(\.address).sorted()
            for stack in stacks {
                let blocks = blocks(of: stack, in: subjects)
                guard let first = blocks.first, let last = blocks.last else { continue }
                names.append(
                    "\(stack.name).\(first)" + (first == last ? "" : " to \(stack.name).\(last)"))
            }
            return "\(part.rawValue) (\(names.joined(separator: ", ")))"
        }.joined(separator: ", ")
    }
}
