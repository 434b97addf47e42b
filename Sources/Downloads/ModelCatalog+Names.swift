/// Lookup of entries by the names that people type.
extension ModelCatalog {
    /// Returns the entry of a name.
    ///
    /// - Throws: ``ModelNameError`` if the name is unknown; it suggests similar names.
    public func entry(named name: String) throws -> Entry {
        if let entry = self[name] { return entry }
        for prefix in ["hf:", "hf://", "hf-hub:", "https://huggingface.co/"]
        where name.hasPrefix(prefix) {
            throw ModelNameError(
                .foreign(name, known: self[String(name.dropFirst(prefix.count))]?.name))
        }
        if name.contains("://") { throw ModelNameError(.foreign(name, known: nil)) }
        throw ModelNameError(.unknown(name, near: names(near: name)))
    }

    /// Returns the entry of a name if it has an ability.
    ///
    /// - Throws: ``ModelNameError`` if the name is unknown or the entry lacks the ability.
    public func entry(named name: String, for ability: Ability) throws -> Entry {
        let entry = try entry(named: name)
        guard entry.abilities.contains(ability) else {
            let near = names(near: name).compactMap { self[$0] }
                .first { $0.abilities.contains(ability) }
            throw ModelNameError(
                .useless(name, entry.purpose, ability: ability, near: near?.name))
        }
        return entry
    }

    /// Returns up to three names that are similar to a text, the most similar first.
    ///
    /// - Complexity: O(n · m²) for n entries and names of m characters.
    public func names(near typed: String) -> [String] {
        let typed = Self.letters(typed)
        guard !typed.isEmpty else { return [] }
        let ranked = entries.compactMap { entry -> (distance: Int, name: String)? in
            let name = Self.letters(entry.name)
            let last = Self.letters(String(entry.name.split(separator: "/").last ?? ""))
            if last == typed { return (0, entry.name) }
            let distance = min(
                Self.distance(typed, name), Self.distance(typed, last))
            if distance <= max(1, typed.count / 4) { return (distance, entry.name) }
            // The text may be a part of a name, such as "siglip2".
            return typed.count >= 4 && Self.contains(name, typed) ? (100, entry.name) : nil
        }
        let exact = ranked.filter { $0.distance == 0 }
        return (exact.isEmpty ? ranked : exact).sorted { $0.distance < $1.distance }
            .prefix(3).map(\.name)
    }

    /// Returns the lower-case letters and digits, so that "clip_vit" equals "CLIP-ViT".
    private static func letters(_ name: String) -> [Character] {
        name.lowercased().filter { $0.isLetter || $0.isNumber }
    }

    private static func contains(_ name: [Character], _ part: [Character]) -> Bool {
        guard name.count >= part.count else { return false }
        return (0...(name.count - part.count)).contains { start in
            name[start..<start + part.count].elementsEqual(part)
        }
    }

    /// Returns the number of characters to change, add or remove (Levenshtein distance).
    private static func distance(_ first: [Character], _ second: [Character]) -> Int {
        var row = Array(0...second.count)
        for (index, character) in first.enumerated() {
            var diagonal = row[0]
            row[0] = index + 1
            for (column, other) in second.enumerated() {
                let changed = diagonal + (character == other ? 0 : 1)
                diagonal = row[column + 1]
                row[column + 1] = min(changed, row[column] + 1, diagonal + 1)
            }
        }
        return row[second.count]
    }
}

/// An error that names a model, or a mirror, and the reason why it cannot be used.
public struct ModelNameError: Error, Sendable, Hashable, CustomStringConvertible {
    enum Code: Sendable, Hashable {
        case unknown(String, near: [String])
        case foreign(String, known: String?)
        case useless(String, ModelCatalog.Purpose, ability: ModelCatalog.Ability, near: String?)
        case address(String, variable: String)
    }

    private let code: Code

    init(_ code: Code) { self.code = code }

    /// The name, the reason, and what to do.
    public var description: String {
        switch code {
        case .unknown(let name, let near):
            let shown = String(name.prefix(100))
            let hint =
                near.isEmpty
                ? "" : "; did you mean \(near.map { "'\($0)'" }.joined(separator: " or "))?"
            return "there is no directory '\(shown)' and no model of that name\(hint)"
                + (hint.isEmpty ? "; " : " ") + "'albef models list' shows all names"
        case .foreign(_, let known?):
            return "'\(known)' is in the catalogue: use this name, without a prefix"
        case .foreign(let name, nil):
            return
                "'\(name.prefix(100))' is not downloaded: only models of the catalogue are, because"
                + " their layout, size and licence are known ('albef models list'). Download the"
                + " folder yourself and convert it with 'albef import'"
        case .useless(let name, let purpose, let ability, let near):
            let hint = near.map { "; did you mean '\($0)'?" } ?? ";"
            return
                "'\(name)' cannot \(ability.rawValue), since it is for \(purpose.rawValue)\(hint)"
                + " 'albef models list' shows what each model can do"
        case .address(let text, let variable):
            return "\(variable) is '\(text.prefix(200))', which is not an http or https address"
        }
    }
}
