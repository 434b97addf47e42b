import Foundation
import RetrievalServer
import RetrievalTesting
import Testing

@Suite("Keys, origins and the addresses of clients")
struct AccessTests {
    /// One request per thousand seconds and address, so a second request has to wait.
    private func expect(
        _ service: TinyService, _ headers: [String: String], isLimited: Bool,
        at location: SourceLocation = #_sourceLocation
    ) async throws {
        let answer = try await service.client.send("GET", "/api/index", headers: headers)
        #expect(answer.status == (isLimited ? 429 : 200), sourceLocation: location)
    }

    @Test("A trusted proxy names the client; a client's own header is ignored")
    func forwarded() async throws {
        let log = LogUnderTest()
        try await TinyService.run(
            images: 2, logger: log.logger,
            {
                $0.trustedProxies = ["127.0.0.0/8", "10.1.0.0/16"]
                $0.limits.requestsPerSecond = 0.001
                $0.limits.connectionsPerAddress = 1
            }
        ) { service in
            let first = ["x-forwarded-for": "203.0.113.1"]
            try await expect(service, first, isLimited: false)
            try await expect(service, first, isLimited: true)
            try await expect(service, ["x-forwarded-for": "203.0.113.2"], isLimited: false)
            // Only the hops that proxies added count, from the right.
            let forged = ["x-forwarded-for": "198.51.100.7, 203.0.113.1, 10.1.2.3"]
            try await expect(service, forged, isLimited: true)
            let six = ["forwarded": #"for=192.0.2.1;by=x, For="[2001:db8::1]:4711";proto=https"#]
            try await expect(service, six, isLimited: false)
            try await expect(service, ["forwarded": #"for="[2001:DB8:0::1]""#], isLimited: true)
            // A hop without a valid address hides the hops before it.
            try await expect(service, ["x-forwarded-for": "203.0.113.1, unknown"], isLimited: false)
            try await expect(service, [:], isLimited: true)
            let clients = log.entries.compactMap { $0["client"] as? String }
            #expect(Set(clients).isSuperset(of: ["203.0.113.1", "2001:db8::1", "127.0.0.1"]))
            #expect(!clients.contains("198.51.100.7"))
        }
        try await TinyService.run(images: 2, { $0.limits.requestsPerSecond = 0.001 }) {
            service in
            try await expect(service, ["x-forwarded-for": "203.0.113.1"], isLimited: false)
            try await expect(service, ["x-forwarded-for": "203.0.113.2"], isLimited: true)
        }
    }

    @Test("With a key for reading, only the page's own files need no key")
    func reading() async throws {
        let key = "a key for readers, of 100 %"
        try await TinyService.run(images: 2, { $0.readKey = key }) { service in
            let cookie = try #require(
                key.addingPercentEncoding(withAllowedCharacters: .alphanumerics))
            for path in ["/api/index", "/metrics", "/openapi.json", "/health/ready"] {
                let answer = try await service.client.send("GET", path)
                #expect(answer.status == 401 && answer.problem == "unauthorized", "\(path)")
                // For another scheme, browsers would ask before the page can.
                #expect(answer.headers["www-authenticate"] == "Bearer")
                for headers in [
                    ["authorization": "Bearer \(key)"], ["cookie": "a=b; albef_key=\(cookie)"],
                    TinyService.authorization,
                ] {
                    let answer = try await service.client.send("GET", path, headers: headers)
                    #expect(answer.status == 200, "\(path) \(headers)")
                }
                for headers in [
                    ["authorization": "Bearer"], ["authorization": "Bearer another"],
                    ["authorization": "Basic \(key)"], ["cookie": "albef_key=another"],
                    ["cookie": "albef_key="],
                ] {
                    let answer = try await service.client.send("GET", path, headers: headers)
                    #expect(answer.status == 401, "\(path) \(headers)")
                }
            }
            for path in ["/", "/page.js", "/health/live"] {
                #expect(try await service.client.send("GET", path).status == 200, "\(path)")
            }
            // Neither permits writing, nor does a cookie, which browsers add by themselves.
            for headers in [
                ["authorization": "Bearer \(key)"], ["cookie": "albef_key=\(cookie)"],
                ["cookie": "albef_key=\(TinyService.key)"],
            ] {
                let answer = try await service.client.sendForm(
                    "POST", "/api/images", image: TinyImages.bitmap(9), headers: headers)
                #expect(answer.status == 401)
            }
        }
    }

    @Test("Requests from pages of other sites are refused, including forms")
    func sites() async throws {
        try await TinyService.run(images: 2, { $0.names = ["photos.test"] }) { service in
            let own = "http://127.0.0.1:\(service.client.port)"
            let foreign = [
                ["sec-fetch-site": "cross-site"], ["origin": "https://evil.example"],
                ["origin": "null"], ["origin": "http://127.0.0.1:1"], ["origin": "file://"],
                ["sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "origin": own],
            ]
            for headers in foreign {
                let form = try await service.client.sendForm(
                    "POST", "/api/search", image: TinyImages.bitmap(1), headers: headers)
                #expect(form.status == 403 && form.problem == "forbidden", "\(headers)")
            }
            let cross = ["sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"]
            #expect(
                try await service.client.send("GET", "/api/index", headers: cross).status == 403)
            let welcome = [
                [:], ["origin": own, "sec-fetch-site": "same-origin"],
                ["origin": "https://photos.test"], ["sec-fetch-site": "none"],
            ]
            for headers in welcome {
                let form = try await service.client.sendForm(
                    "POST", "/api/search", image: TinyImages.bitmap(1), headers: headers)
                #expect(form.status == 200, "\(headers)")
            }
            // Following a link is allowed.
            let link = ["sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"]
            #expect(
                try await service.client.send("GET", "/api/index", headers: link).status == 200)
        }
    }
}
