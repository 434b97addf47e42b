import Storage
import SystemPackage

extension ServerConfiguration {
    /// Reads settings from YAML and checks them.
    ///
    /// - Parameters:
    ///   - yaml: The text of the file.
    ///   - place: The file's name for error messages.
    /// - Throws: ``ServerError`` that names the place, the line, and the invalid or unknown key.
    public init(yaml: String, place: String) throws {
        do throws(SettingsFault) { try read(yaml, place) } catch {
            throw ServerError.setting(error.place, error.problem)
        }
        try check(place: place)
    }

    private mutating func read(_ yaml: String, _ place: String) throws(SettingsFault) {
        var reader = try SettingsMapping(SettingsYAML.parse(yaml, place: place), place: place)
        try reader.text("host") { host = $0 }
        try reader.whole("port") { port = $0 }
        try reader.texts("names") { names = $0 }
        try reader.texts("trusted_proxies") { trustedProxies = $0 }
        try reader.text("key") { key = $0 }
        try reader.text("read_key") { readKey = $0 }
        try reader.text("uploads") { uploads = FilePath($0) }
        try reader.text("photos") { photos = FilePath($0) }
        try reader.texts("exclude") { exclude = $0 }
        try reader.text("recall") { recall = $0 }
        try reader.section("limits") { part throws(SettingsFault) in
            try limits.read(&part)
        }
        try reader.section("batching") { part throws(SettingsFault) in
            try batching.read(&part)
        }
        try reader.finish()
    }
}

extension ServerConfiguration.Limits {
    fileprivate mutating func read(_ part: inout SettingsMapping) throws(SettingsFault) {
        try part.whole("body_bytes") { bodyBytes = $0 }
        try part.whole("document_bytes") { documentBytes = $0 }
        try part.whole("metadata_bytes") { metadataBytes = $0 }
        try part.whole("pixels") { pixels = $0 }
        try part.whole("characters") { characters = $0 }
        try part.whole("results") { results = $0 }
        try part.whole("candidates") { candidates = $0 }
        try part.number("head_seconds") { headSeconds = $0 }
        try part.number("body_seconds") { bodySeconds = $0 }
        try part.number("idle_seconds") { idleSeconds = $0 }
        try part.number("request_seconds") { requestSeconds = $0 }
        try part.number("requests_per_second") { requestsPerSecond = $0 }
        try part.whole("connections") { connections = $0 }
        try part.whole("connections_per_address") { connectionsPerAddress = $0 }
    }
}

extension ServerConfiguration.Batching {
    fileprivate mutating func read(_ part: inout SettingsMapping) throws(SettingsFault) {
        try part.whole("queries") { queries = $0 }
        try part.number("delay_milliseconds") { delayMilliseconds = $0 }
        try part.whole("waiting") { waiting = $0 }
        try part.whole("cached_answers") { cachedAnswers = $0 }
    }
}
