import Retrieval

extension ServerConfiguration {
    /// Checks every setting.
    ///
    /// - Parameter place: The file of the settings, which errors name; nil for none.
    /// - Throws: ``ServerError`` that names the first key with an invalid value.
    public func check(place: String? = nil) throws {
        let checks = Checks(place: place)
        try checks.expect(!host.isEmpty, "host", "is empty")
        try checks.bound(port, 0...65_535, "port")
        for name in names {
            try checks.expect(!name.isEmpty, "names", "holds an empty name; remove it")
        }
        for proxy in trustedProxies {
            try checks.expect(
                AddressRange(proxy) != nil, "trusted_proxies",
                "'\(proxy)' is not an address or a network such as 10.0.0.0/8")
        }
        for (key, name) in [(key, "key"), (readKey, "read_key")] {
            guard let key else { continue }
            if let fault = Self.fault(ofKey: key) { try checks.expect(false, name, fault) }
        }
        try checks.expect(
            key == nil || key != readKey, "read_key",
            "is the same as 'key'; choose another key for reading")
        if let recall {
            do { _ = try MilvusAddress(recall, environment: [:]) } catch let error as RecallError {
                try checks.expect(false, "recall", error.description)
            }
            try checks.expect(
                key == nil && photos == nil, "recall",
                "needs a service that does not write to its index; leave out 'key' and 'photos',"
                    + " and run 'albef index push' after each change of the index")
        }
        try limits.check(checks)
        try batching.check(checks)
    }

    /// Describes what is wrong with a key; returns nil for a valid key.
    ///
    /// Keys from a file, an option, and the environment all pass this check.
    public static func fault(ofKey key: String) -> String? {
        guard key.utf8.count >= minimumKeyLength else {
            return "a key needs at least \(minimumKeyLength) characters"
        }
        guard key.utf8.allSatisfy({ (0x20..<0x7F).contains($0) }), key.first != " ", key.last != " "
        else {
            return "a key must have printable ASCII characters only, and no space at either end"
        }
        return nil
    }

    /// Throws an error that names the setting whose check fails.
    fileprivate struct Checks {
        let place: String?

        func expect(_ holds: Bool, _ key: String, _ what: String) throws {
            guard holds else {
                throw ServerError.setting(place.map { "\($0): \(key)" } ?? key, what)
            }
        }

        /// Checks that a number lies within its bounds; NaN never does.
        func bound<Value: Comparable>(_ value: Value, _ range: ClosedRange<Value>, _ key: String)
            throws
        {
            try expect(
                range.contains(value), key,
                "must be from \(range.lowerBound) to \(range.upperBound)")
        }
    }
}

extension ServerConfiguration.Limits {
    fileprivate func check(_ checks: ServerConfiguration.Checks) throws {
        let seconds = 0.001...86_400.0
        let count = 1...100_000
        try checks.bound(bodyBytes, 1024...1 << 32, "limits.body_bytes")
        try checks.bound(documentBytes, 1024...16 << 20, "limits.document_bytes")
        try checks.bound(metadataBytes, 2...1 << 20, "limits.metadata_bytes")
        try checks.bound(pixels, 1...10_000_000_000, "limits.pixels")
        try checks.bound(characters, 1...1_000_000, "limits.characters")
        try checks.bound(results, count, "limits.results")
        try checks.bound(candidates, count, "limits.candidates")
        try checks.bound(headSeconds, seconds, "limits.head_seconds")
        try checks.bound(bodySeconds, seconds, "limits.body_seconds")
        try checks.bound(idleSeconds, seconds, "limits.idle_seconds")
        try checks.bound(requestSeconds, seconds, "limits.request_seconds")
        if let rate = requestsPerSecond, rate != 0 {
            try checks.expect(
                (0.001...1e6).contains(rate), "limits.requests_per_second",
                "must be 0, or from 0.001 to 1000000")
        }
        try checks.bound(connections, count, "limits.connections")
        try checks.bound(connectionsPerAddress, count, "limits.connections_per_address")
    }
}

extension ServerConfiguration.Batching {
    fileprivate func check(_ checks: ServerConfiguration.Checks) throws {
        try checks.bound(queries, 1...1024, "batching.queries")
        try checks.bound(delayMilliseconds, 0...1000, "batching.delay_milliseconds")
        try checks.bound(waiting, 1...100_000, "batching.waiting")
        try checks.bound(cachedAnswers, 0...1_000_000, "batching.cached_answers")
    }
}
