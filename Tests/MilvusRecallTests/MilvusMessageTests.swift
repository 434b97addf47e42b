#if Milvus
    import Foundation
    import MilvusRecall
    import Retrieval
    import SwiftProtobuf
    import SystemPackage
    import TestSupport
    import Testing

    /// The messages against bytes that pymilvus wrote; see `Tests/Fixtures/milvus/make.py`.
    @Suite("Messages to and from Milvus")
    struct MilvusMessageTests {
        private func bytes(_ name: String) throws -> Data {
            let path = Fixtures.path("milvus/\(name).bin").string
            return try Data(contentsOf: URL(filePath: path))
        }

        /// Reads pymilvus's bytes, and compares what this program writes with them.
        private func check<Value: Message & Equatable>(_ name: String, _ own: Value) throws {
            let theirs = try bytes(name)
            #expect(try Value(serializedBytes: theirs) == own)
            #expect(try own.serializedBytes() as Data == theirs)
        }

        @Test func requestsAreThoseOfPymilvus() throws {
            try check(
                "upsert",
                MilvusUpsertRequest.with {
                    $0.dbName = "shop"
                    $0.collectionName = "images"
                    $0.numRows = 2
                    $0.fieldsData = [
                        .of("id", strings: ["0a", "0b"]),
                        .of("feature", vectors: [[1, 0.5], [-2, 0.25]], width: 2),
                        .of("fields", json: ["{\"is\":[]}", "{\"is\":[\"é\"]}"]),
                        .of("version", numbers: [1, -5]),
                    ]
                })
            let group: Data = try MilvusPlaceholderGroup.with {
                $0.placeholders = [
                    .with {
                        $0.tag = "$0"
                        $0.type = .floatVector
                        $0.values = [Data([0, 0, 128, 63, 0, 0, 0, 63])]
                    }
                ]
            }.serializedBytes()
            try check(
                "search",
                MilvusSearchRequest.with {
                    $0.dbName = "shop"
                    $0.collectionName = "images"
                    $0.dsl = "fields[\"n_year\"] >= 2020.0"
                    $0.dslType = .boolean
                    $0.placeholderGroup = group
                    $0.nq = 1
                    $0.outputFields = ["place"]
                    $0.consistencyLevel = .bounded
                    $0.searchParams = [
                        .of("anns_field", "feature"), .of("topk", "10"),
                        .of("params", "{\"ef\":64}"),
                    ]
                })
            let schema: Data = try MilvusCollectionSchema.with {
                $0.name = "images"
                $0.description_p = "albef"
                $0.fields = [
                    .with {
                        $0.name = "id"
                        $0.isPrimaryKey = true
                        $0.dataType = .varchar
                        $0.typeParams = [.of("max_length", "32")]
                    }
                ]
            }.serializedBytes()
            try check(
                "create",
                MilvusCreateCollectionRequest.with {
                    $0.collectionName = "images"
                    $0.shardsNum = 2
                    $0.consistencyLevel = .bounded
                    $0.schema = schema
                })
            try check(
                "query",
                MilvusQueryRequest.with {
                    $0.collectionName = "images"
                    $0.expr = "id >= \"0\""
                    $0.outputFields = ["id", "version"]
                    $0.queryParams = [.of("limit", "5")]
                })
        }

        @Test func answersOfTheServerAreRead() throws {
            let found = try MilvusSearchResults(serializedBytes: bytes("search-answer"))
            #expect(found.status.isSuccess && found.results.topks == [2, 1])
            #expect(found.results.ids.strID.data == ["0a", "0b", "0c"])
            #expect(found.results.fieldsData.first?.scalars.longData.data == [7, 8, -9])
            let failed = try MilvusMutationResult(serializedBytes: bytes("mutation-answer"))
            #expect(failed.status.isTemporary && !failed.status.isSuccess)
            #expect(failed.status.reason == "rate limit exceeded" && failed.errIndex == [1, 3])
        }

        @Test("Only what may pass is tried again")
        func temporaryCodes() {
            func status(_ code: Int32, old: Int32 = 0, retriable: Bool = false) -> MilvusStatus {
                .with {
                    $0.code = code
                    $0.errorCode = old
                    $0.retriable = retriable
                }
            }
            #expect(status(0).isSuccess && !status(0, old: 1).isSuccess && !status(5).isSuccess)
            #expect(status(8).isTemporary && status(0, old: 49).isTemporary)
            #expect(status(5, retriable: true).isTemporary)
            #expect(!status(5).isTemporary && !status(100, old: 4).isTemporary)
            #expect(status(100).isMissingCollection && status(0, old: 4).isMissingCollection)
        }

        @Test("A server that does not answer is an error that names it, within the timeout")
        func unreachableServer() async throws {
            // Nothing listens on the port of discarded data.
            let address = try MilvusAddress(
                "milvus://root:secret@127.0.0.1:9/images?timeout=0.5", environment: [:])
            let error = await #expect(throws: RecallError.self) {
                try await MilvusStore(address).flush()
            }
            let text = error?.description ?? ""
            #expect(error?.isTemporary == true)
            #expect(text.hasPrefix("milvus://127.0.0.1:9/images: no answer: flush"), "\(text)")
            #expect(!text.contains("secret"))
        }
    }
#endif
