/// Finding an entry by what somebody typed.
extension ModelCatalog {
    /// The entry of a name.
    ///
    /// - Throws: ``ModelNameError`` that says why there is none, and which names are near.
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

    /// The entry of a name, if a thing can be done with it.
    ///
    /// - Throws: ``ModelNameError`` as ``entry(named:)`` does, and for an entry that is of no use.
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

    /// At most three names that somebody may have meant, the nearest first.
    ///
    /// - Complexity: O(entries · length²).
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
            // A part of a name, as "siglip2" is.
            return typed.count >= 4 && Self.contains(name, typed) ? (100, entry.name) : nil
        }
        let exact = ranked.filter { $0.distance == 0 }
        return (exact.isEmpty ? ranked : exact).sorted { $0.distance < $1.distance }
            .prefix(3).map(\.name)
    }

    /// Letters and digits alone, small: "clip_vit" and "CLIP-ViT" are one name to a reader.
    private static func letters(_ name: String) -> [Character] {
        name.lowercased().filter { $0.isLetter || $0.isNumber }
    }

    private static func contains(_ name: [Character], _ part: [Character]) -> Bool {
        guard name.count >= part.count else { return false }
        return (0...(name.count - part.count)).contains { start in
            name[start..<start + part.count].elementsEqual(part)
        }
    }

    /// How many characters have to be changed, added or left out (Levenshtein).
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

/// Why a model cannot be had by its name.
public struct ModelNameError: Error, Sendable, Hashable, CustomStringConvertible {
    enum Code: Sendable, Hashable {
        case unknown(String, near: [String])
        case foreign(String, known: String?)
        case useless(String, ModelCatalog.Purpose, ability: ModelCatalog.Ability, near: String?)
        case address(String, variable: String)
    }

    private let code: Code

    init(_ code: Code) { self.code = code }

    /// The name, why it is of no use, and what to do.
    public var description: String {
        switch code {
        case .unknown(let name, let near):
            let shown = String(name.prefix(100))
            let hint =
                near.isEmpty
                ? "" : "; is it \(near.map { "'\($0)'" }.joined(separator: " or "))?"
            return "there is no directory '\(shown)', and no model of that name\(hint)"
                + (hint.isEmpty ? "; " : " ") + "'albef models list' shows all names"
        case .foreign(_, let known?):
            return "'\(known)' is in the catalogue: name it so, without anything before it"
        case .foreign(let name, nil):
            return
                "'\(name.prefix(100))' is not downloaded: only models of the catalogue are, since"
                + " their layout, size and licence are known ('albef models list'). Download the"
                + " folder yourself, then 'albef import' it"
        case .useless(let name, let purpose, let ability, let near):
            let hint = near.map { "; is it '\($0)'?" } ?? ";"
            return
                "'\(name)' cannot \(ability.rawValue), since it is for \(purpose.rawValue)\(hint)"
                + " 'albef models list' says what each can do"
        case .address(let text, let variable):
            return "\(variable) is '\(text.prefix(200))', which is not an address such as https://…"
        }
    }
}
