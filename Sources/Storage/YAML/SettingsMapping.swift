package import Yams

/// Reads the keys of a YAML mapping one by one, and reports a key that remains unread.
///
/// A missing or empty key leaves the value as it is.
package struct SettingsMapping {
    private var rest: [String: (name: Node, value: Node)] = [:]
    private let place, key: String

    /// Takes the keys of the root of a document; an empty document has none.
    ///
    /// - Throws: ``SettingsFault`` if the root is not a mapping.
    package init(_ root: Node, place: String) throws(SettingsFault) {
        try self.init(root, place: place, key: "")
    }

    private init(_ node: Node, place: String, key: String) throws(SettingsFault) {
        self.place = place
        self.key = key
        guard node.null == nil else { return }
        guard let mapping = node.mapping else {
            throw SettingsFault(
                node, in: place,
                "\(key.isEmpty ? "the file" : key) must be a mapping of 'name: value' lines")
        }
        for (name, value) in mapping { rest[name.string ?? ""] = (name, value) }
    }

    /// Reads a text.
    package mutating func text(
        _ name: String, _ body: (String) -> Void
    ) throws(SettingsFault) {
        try read(name, { $0.scalar?.string }, "a text", body)
    }

    /// Reads a list of texts.
    package mutating func texts(
        _ name: String, _ body: ([String]) -> Void
    ) throws(SettingsFault) {
        func list(_ node: Node) -> [String]? {
            guard let sequence = node.sequence else { return nil }
            let texts = sequence.compactMap { $0.scalar?.string }
            return texts.count == sequence.count ? texts : nil
        }
        try read(name, list, "a list of texts", body)
    }

    /// Reads a whole number.
    package mutating func whole(_ name: String, _ body: (Int) -> Void) throws(SettingsFault) {
        try read(name, { $0.int }, "a whole number", body)
    }

    /// Reads a number.
    package mutating func number(
        _ name: String, _ body: (Double) -> Void
    ) throws(SettingsFault) {
        try read(name, { $0.float }, "a number", body)
    }

    private mutating func read<Value>(
        _ name: String, _ value: (Node) -> Value?, _ what: String, _ body: (Value) -> Void
    ) throws(SettingsFault) {
        guard let node = rest.removeValue(forKey: name)?.value, node.null == nil else { return }
        guard let value = value(node) else {
            throw SettingsFault(node, in: place, "\(named(name)) must be \(what)")
        }
        body(value)
    }

    /// Reads a mapping in this one, whose keys must all be read.
    package mutating func section(
        _ name: String, _ body: (inout SettingsMapping) throws(SettingsFault) -> Void
    ) throws(SettingsFault) {
        guard let node = rest.removeValue(forKey: name)?.value, node.null == nil else { return }
        var part = try SettingsMapping(node, place: place, key: name)
        try body(&part)
        try part.finish()
    }

    /// Checks that every key was read.
    ///
    /// - Throws: ``SettingsFault`` that names the first unknown key.
    package func finish() throws(SettingsFault) {
        guard let unknown = rest.min(by: { $0.key < $1.key }) else { return }
        throw SettingsFault(
            unknown.value.name, in: place,
            "'\(named(unknown.key))' is not a setting here; check its spelling")
    }

    private func named(_ name: String) -> String { key.isEmpty ? name : "\(key).\(name)" }
}
