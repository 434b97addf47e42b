/// A name of `optimizer.frozen`: what of a model it means.
///
/// - `image`, `text`, `fusion`, `heads`: a part.
/// - `image.3`, `text.0-2`: a block of a part, or several, counted from 0 within the part; both ends
///   are meant too, and must be there.
/// - `image.embeddings`, `image.norm`, `heads.matching` and so on: what else a part has.
/// - `embeddings`: what lies below the first block, of image and text.
/// - `taken`, `new`: what was taken from other models, and what was made at random.
/// - `text_encoder.bert.embeddings.word_embeddings`: the start of parameters' names, whole words.
package struct PartPattern: Sendable, Hashable {
    /// One parameter, as patterns see it.
    package struct Subject: Sendable, Hashable {
        /// Its name.
        package var name: String
        /// Where it is.
        package var place: ParameterPlace
        /// Whether it was made at random rather than taken from another model.
        package var isNew: Bool

        /// A parameter.
        package init(name: String, place: ParameterPlace, isNew: Bool) {
            self.name = name
            self.place = place
            self.isNew = isNew
        }
    }

    private enum Meaning: Sendable, Hashable {
        case part(ModelPart)
        case blocks(ModelPart, ClosedRange<Int>)
        case embeddings
        case taken
        case new
        /// A place's address, or the start of a name.
        case name
    }

    /// The pattern as it was given.
    package let text: String
    private let meaning: Meaning

    /// Reads a pattern; one that means nothing matches nothing.
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
        guard words.count == 2, let part = ModelPart(rawValue: String(words[0])) else { return nil }
        let ends = words[1].split(separator: "-", omittingEmptySubsequences: false).map {
            $0.allSatisfy(\.isNumber) ? Int($0) : nil
        }
        guard ends.count <= 2, let first = ends.first ?? nil, let last = ends.last ?? nil,
            first <= last
        else { return nil }
        return .blocks(part, first...last)
    }

    /// Whether a parameter is meant.
    package func matches(_ subject: Subject) -> Bool {
        switch (meaning, subject.place.section) {
        case (.part(let part), _): subject.place.part == part
        case (.blocks(let part, let range), .block(let index)):
            subject.place.part == part && range.contains(index)
        case (.blocks, _): false
        case (.embeddings, let section): section == .embeddings
        case (.taken, _): !subject.isNew
        case (.new, _): subject.isNew
        case (.name, _):
            subject.place.address == text || subject.name == text
                || subject.name.hasPrefix("\(text).")
        }
    }

    /// Checks that the pattern means something in a model.
    ///
    /// - Throws: ``TrainingError`` that names the setting and the pattern, and lists what there is.
    func check(_ subjects: [Subject]) throws(TrainingError) {
        guard subjects.contains(where: matches) else {
            throw .setting(
                "optimizer.frozen",
                "names '\(text)', which this model does not have; it has "
                    + Self.names(of: subjects)
                    + ", embeddings, taken and new, and the starts of parameter names, such as"
                    + " '\(subjects.first?.name ?? "temp")'")
        }
        guard case .blocks(let part, let range) = meaning else { return }
        let last = Self.blocks(of: part, in: subjects).last ?? 0
        guard range.upperBound <= last else {
            throw .setting(
                "optimizer.frozen",
                "names '\(text)', but the last block of this model's \(part.words) is"
                    + " \(part.rawValue).\(last)")
        }
    }

    private static func blocks(of part: ModelPart, in subjects: [Subject]) -> [Int] {
        Set(
            subjects.compactMap { subject in
                guard subject.place.part == part, case .block(let index) = subject.place.section
                else { return nil }
                return index
            }
        ).sorted()
    }

    /// Every part with what it has: `fusion (fusion.0 to fusion.5)`.
    private static func names(of subjects: [Subject]) -> String {
        ModelPart.allCases.compactMap { part in
            let places = Set(subjects.map(\.place).filter { $0.part == part })
            guard !places.isEmpty else { return nil }
            let blocks = blocks(of: part, in: subjects)
            var names = places.filter {
                if case .block = $0.section { false } else { true }
            }.map(\.address).sorted()
            if let first = blocks.first, let last = blocks.last {
                names.append(
                    "\(part.rawValue).\(first)"
                        + (first == last ? "" : " to \(part.rawValue).\(last)"))
            }
            return "\(part.rawValue) (\(names.joined(separator: ", ")))"
        }.joined(separator: ", ")
    }
}
