import Retrieval
import Testing

@Suite("Addresses of collections in Milvus")
struct MilvusAddressTests {
    @Test func partsAreRead() throws {
        let plain = try MilvusAddress("milvus://search.example/images", environment: [:])
        #expect((plain.host, plain.port, plain.collection) == ("search.example", 19530, "images"))
        #expect(plain.database.isEmpty && plain.token == nil && plain.settings == .init())
        #expect("\(plain)" == "milvus://search.example:19530/images")

        let full = try MilvusAddress(
            "milvus://root:p%40ss@[::1]:443/shop/images_2?tls=true&ca=/etc/ca.pem&index=ivf_sq8"
                + "&nlist=64&nprobe=8&m=8&ef=99&ef_construction=50&consistency=strong&timeout=2.5"
                + "&shards=2&replicas=3", environment: ["MILVUS_TOKEN": "other"])
        #expect((full.host, full.port) == ("::1", 443))
        #expect((full.database, full.collection) == ("shop", "images_2"))
        #expect(full.token == "root:p@ss")
        #expect("\(full)" == "milvuss://[::1]:443/shop/images_2")
        var settings = MilvusAddress.Settings()
        (settings.usesTLS, settings.certificates) = (true, "/etc/ca.pem")
        (settings.index, settings.lists, settings.probes) = (.ivfSQ8, 64, 8)
        (settings.links, settings.searching, settings.building) = (8, 99, 50)
        (settings.consistency, settings.timeout) = (.strong, 2.5)
        (settings.shards, settings.replicas) = (2, 3)
        #expect(full.settings == settings)

        #expect(try MilvusAddress("milvuss://h/c", environment: [:]).settings.usesTLS)
        #expect(try MilvusAddress("milvus://key@h/c", environment: [:]).token == "key")
        #expect(try MilvusAddress("milvus://h/c", environment: ["MILVUS_TOKEN": "k"]).token == "k")
    }

    @Test(
        "What cannot be read is named, and a token never is",
        arguments: [
            ("http://h/c", "milvus://host:19530/collection"), ("milvus:///c", "host is missing"),
            ("milvus://h", "name a collection"), ("milvus://h/a/b/c", "name a collection"),
            ("milvus://h/2c", "'2c' is not a name"), ("milvus://h/c-d", "'c-d' is not a name"),
            ("milvus://h:0/c", "the port"), ("milvus://h/c?x=1", "'x' is not a setting"),
            ("milvus://h/c?ef=0", "ef=0: must be from 1"), ("milvus://h/c?m=ten", "m=ten"),
            ("milvus://h/c?tls=yes", "tls must be"), ("milvus://h/c?index=tree", "hnsw, flat"),
            ("milvus://h/c?consistency=x", "strong, bounded, eventually"),
            ("milvus://h/c?timeout=nan", "timeout=nan"),
            ("milvus://root:secret@h/c?ef=no", "milvus://h/c: ef=no"),
            ("milvus://root:secret@h h/c", "is not an address"),
        ])
    func badAddresses(_ text: String, _ part: String) {
        let error = #expect(throws: RecallError.self) { try MilvusAddress(text, environment: [:]) }
        let description = error?.description ?? ""
        #expect(description.contains(part), "\(description)")
        #expect(!description.contains("secret"), "\(description)")
    }
}
