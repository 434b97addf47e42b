import Foundation
import TestSupport
import Testing

@Suite("Commands that name Milvus")
struct MilvusCommandTests {
    private static let address = "milvus://root:secret@127.0.0.1:9/images?timeout=0.2"

    @Test(
        "What does not fit is refused before anything is done, and no token is shown",
        arguments: [
            (
                ["search", "a dog", "--recall", address, "--recall-method", "exact"],
                "--recall-method is a method of the index"
            ),
            (["search", "a dog", "--recall", address, "--recall", address], "at most one model"),
            (["search", "a dog", "--recall", "milvus://h"], "name a collection"),
            (
                ["score", "photos/001.bmp", "a dog", "--recall", address],
                "only 'search' and 'serve'"
            ),
            (
                ["serve", "--photos", "photos", "--port", "0", "--recall", address],
                "recall: needs a service that does not write"
            ),
            (["index", "push", "http://h/c"], "milvus://host:19530/collection"),
            (["index", "push", address, "--batch", "0"], "--batch must be from 1"),
        ])
    func refusals(_ arguments: [String], _ part: String) async throws {
        try await Command.withIndex { folder in
            var arguments = arguments
            if arguments[0] == "index" {
                arguments.insert("index", at: 2)
            } else if arguments[0] != "score" {
                arguments += ["--index", "index"]
            }
            let result = try await Command.run(arguments, folder: folder)
            #expect(result.status != 0 && result.errors.contains(part), "\(result.errors)")
            #expect(!result.errors.contains("secret"))
        }
    }

    @Test("A program without Milvus's client says how to build one; with it, names the server")
    func client() async throws {
        try await Command.withIndex { folder in
            #if Milvus
                let part = "milvus://127.0.0.1:9/images: no answer"
            #else
                let part = "--traits Milvus"
            #endif
            for arguments in [
                [
                    "search", "a dog", "--model", "model", "--index", "index", "--recall",
                    Self.address,
                ],
                ["index", "push", "index", Self.address],
            ] {
                let result = try await Command.run(arguments, folder: folder)
                #expect(result.status != 0 && result.errors.contains(part), "\(result.errors)")
                #expect(result.output.isEmpty && !result.errors.contains("secret"))
            }
        }
    }
}
