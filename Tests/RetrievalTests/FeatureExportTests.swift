import ALBEF
import Foundation
import ImageText
import Retrieval
import RetrievalTesting
import SystemPackage
import TestSupport
import Testing
import Torch
import WeightFiles

@Suite("Exporting features")
struct FeatureExportTests {
    private static func lines(_ path: FilePath) throws -> [[String: String]] {
        try String(contentsOfFile: path.string, encoding: .utf8).split(separator: "\n").map {
            try JSONDecoder().decode([String: String].self, from: Data($0.utf8))
        }
    }

    @Test(
        "Every kind is what the model computes, with one model and with two", .oneModelAndTwo,
        arguments: [FeatureKind.aligned, .image, .tokens])
    func kinds(_ kind: FeatureKind) async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let paths = try TinyImages.write(5, to: folder.appending("images"))
            let model = try TinyModel.search(in: folder)
            let output = folder.appending("a.safetensors")
            let report = try await FeatureExport([.images(paths)], kind: kind)
                .write(to: output, model: model, batchSize: 2)
            let encoded = try model.encode(pixels: paths.map { try model.pixels(of: $0) })
            let (name, wanted) =
                switch kind {
                case .aligned: ("image_features", encoded.features)
                case .image: ("image_states", encoded.tokens[.all, 0])
                case .tokens, .fused: ("image_tokens", encoded.tokens)
                }
            #expect(report.arrays.map(\.name) == [name])
            #expect(report.arrays[0].shape == wanted.shape)
            let file = try SafetensorsFile(output)
            let found = try Tensor(file.tensor(name))
            #expect(found.dtype == .float32)
            #expect(found.isClose(to: wanted, relative: 1e-4, absolute: 1e-5))
            #expect(file.metadata["kind"] == kind.rawValue)
            #expect(file.metadata["model_sha256"] == model.fingerprint)
            let labels = try Self.lines(try #require(report.labelPath))
            #expect(labels == paths.map { ["image": $0.string] })
        }
    }

    @Test("Texts follow images; unreadable images and empty texts are left out, or are errors")
    func mixed() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            var paths = try TinyImages.write(3, to: folder.appending("images"))
            let damaged = folder.appending("images/damaged.bmp")
            try Data([1, 2, 3]).write(to: URL(filePath: damaged.string))
            paths.insert(damaged, at: 1)
            let model = try TinyModel().makeSearchModel(in: folder)
            let texts = ["a dog in the snow", " . ", "a red bus"]
            let sources: [FeatureExport.Source] = [.texts(texts), .images(paths)]
            let export = FeatureExport(sources, dtype: .float16)
            let output = folder.appending("a.safetensors")
            var told: [FeatureExport.Skipped] = []
            var counts: [Int] = []
            let report = try await export.write(to: output, model: model) {
                told.append($0)
            } progress: { done, total in
                #expect(total == 7)
                counts.append(done)
            }
            #expect(counts == counts.sorted() && counts.first == 0 && counts.last == 7)
            #expect(told == report.skipped && told.map(\.image) == [damaged, nil])
            #expect(told.last?.text == " . ")
            #expect(report.arrays.map(\.shape) == [[3, 16], [2, 16]])
            let file = try SafetensorsFile(output)
            let found = try Tensor(file.tensor("text_features"))
            #expect(found.dtype == .float16)
            let wanted = try model.encode(texts: [texts[0], texts[2]]).features
            #expect(found.to(.float32).isClose(to: wanted, relative: 1e-2, absolute: 1e-3))
            let labels = try Self.lines(folder.appending("a.jsonl"))
            #expect(labels.compactMap { $0["text"] } == [texts[0], texts[2]])

            let strict = FeatureExport(sources, isStrict: true)
            try FileManager.default.removeItem(atPath: output.string)
            try FileManager.default.removeItem(atPath: folder.appending("a.jsonl").string)
            let error = await #expect(throws: FeatureExportError.self) {
                _ = try await strict.write(to: output, model: model)
            }
            #expect(error?.isOfSkippedRow == true)
            #expect(error?.description.contains("damaged.bmp") == true)
            // Nothing is left behind.
            let left = try FileManager.default.contentsOfDirectory(atPath: folder.string)
            #expect(left.sorted() == ["images", "model"])
        }
    }

    @Test("An index is exported as it is stored, without a model", .oneModelAndTwo)
    func index() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let images = folder.appending("images")
            try TinyImages.write(7, to: images)
            let model = try TinyModel.search(in: folder)
            let place = folder.appending("index")
            _ = try await Indexer(model).update(place, with: images)
            _ = try ForwardIndex.remove(place, paths: [images.appending("003.bmp")], filters: [])
            let index = try ForwardIndex(place)
            for kind in [FeatureKind.aligned, .tokens] {
                let export = FeatureExport([.index(index)], kind: kind)
                #expect(!export.needsModel)
                let output = folder.appending("\(kind.rawValue).safetensors")
                let report = try await export.write(to: output, model: nil)
                let stored = try Tensor(SafetensorsFile(output).tensor(report.arrays[0].name))
                let wanted =
                    kind == .aligned
                    ? try index.features(index.ids)
                    : try #require(index.tokens(index.ids)).values
                #expect(stored.isClose(to: wanted, relative: 0, absolute: 0))
                let labels = try Self.lines(try #require(report.labelPath))
                let paths = try index.ids.map { try index.entry($0).path.string }
                #expect(labels.compactMap { $0["image"] } == paths && paths.count == 6)
            }
            func message(_ export: FeatureExport, _ model: SearchModel?) async -> String {
                do {
                    _ = try await export.write(to: folder.appending("b.npz"), model: model)
                    return ""
                } catch { return "\(error)" }
            }
            #expect(
                await message(FeatureExport([.index(index)], kind: .image), nil)
                    .contains("no vectors of the kind 'image'"))
            #expect(await message(FeatureExport([]), model).contains("nothing to export"))
            #expect(
                await message(FeatureExport([.images([])]), nil).contains("need a model"))
            #expect(
                await message(FeatureExport([.images([])]), model).contains("nothing to export"))
            #expect(
                await message(FeatureExport([.texts(["a"])], kind: .tokens), model)
                    .contains("texts have no vectors of the kind 'tokens'"))
            let other = try TinyModel(seed: 9).makeSearchModel(in: folder)
            #expect(
                await message(FeatureExport([.index(index), .texts(["a dog"])]), other)
                    .contains("was made with"))
        }
    }

    @Test("Texts of an index keep their texts as labels")
    func textIndex() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let list = folder.appending("texts.txt")
            try "a dog\n\na red bus\n".write(toFile: list.string, atomically: true, encoding: .utf8)
            let model = try TinyModel().makeSearchModel(in: folder)
            let place = folder.appending("index")
            _ = try await TextIndexer(model).update(place, with: TextListFile(list))
            let output = folder.appending("a.npy")
            let report = try await FeatureExport([.index(ForwardIndex(place))])
                .write(to: output, model: nil)
            #expect(report.arrays.map(\.name) == ["text_features"])
            #expect(
                try Self.lines(folder.appending("a.jsonl")) == [
                    ["text": "a dog"], ["text": "a red bus"],
                ])
        }
    }

    @Test("Pairs are what the fusion encoder computes for each image with each caption")
    func fused() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let paths = try TinyImages.write(3, to: folder.appending("images"))
            let model = try TinyModel().makeSearchModel(in: folder)
            let captions = [["a dog", "a red bus in the snow"], [], ["a tree", "!", "snow"]]
            let images = zip(paths, captions).enumerated().map {
                CaptionedImage(path: $1.0, captions: $1.1, id: $0)
            }
            let output = folder.appending("a.safetensors")
            let report = try await FeatureExport([.pairs(images)], kind: .fused)
                .write(to: output, model: model, batchSize: 3)
            let found = try Tensor(SafetensorsFile(output).tensor("fused_states"))
            let labels = try Self.lines(folder.appending("a.jsonl"))
            #expect(
                labels.map { $0["text"] } == ["a dog", "a red bus in the snow", "a tree", "snow"])
            #expect(report.skipped.map(\.text) == ["!"] && found.shape == [4, 32])
            for (row, label) in labels.enumerated() {
                let text = try model.encode(texts: [try #require(label["text"])])
                let image = FilePath(try #require(label["image"]))
                let tokens = try model.encode(pixels: [model.pixels(of: image)]).tokens
                let states = model.model.textEncoder.fuse(
                    text.states, mask: text.mask, image: tokens)
                #expect(
                    found[row].isClose(to: states[0, 0], relative: 1e-4, absolute: 1e-5))
            }
        }
    }

    @Test("The fused state equals that of LAVIS's feature extractor")
    func golden() throws {
        let golden = try GoldenSet("lavis-features")
        let model = try GoldenSet("lavis-pretraining").model(.lavis, .pretraining)
        let tokens = try model.encodeTokens(golden.input("image"))
        let mask = try golden.input("attention_mask")
        let all = try model.fused(
            golden.input("input_ids"), mask: mask, tokens: tokens, chosen: Tensor([0, 1, 2, 3]))
        try golden.expect(all, equals: "multimodal_embeds")
        // Any order of the images, and one image for several texts.
        let order = Tensor([3, 3, 0, 2, 1])
        let start = try model.fused(
            golden.input("input_ids")[order], mask: mask[order], tokens: tokens, chosen: order,
            .start)
        let wanted = try golden.output("multimodal_embeds")[order]
        #expect(start.isClose(to: wanted[.all, 0..<1], relative: 1e-4, absolute: 1e-4))
    }

    @Test("A model without a fusion encoder cannot read pairs")
    func towers() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let paths = try TinyImages.write(1, to: folder.appending("images"))
            let model = try TinyModel.towers().makeSearchModel(in: folder)
            let pairs = [CaptionedImage(path: paths[0], captions: ["a dog"], id: 0)]
            let error = await #expect(throws: ALBEFError.self) {
                _ = try await FeatureExport([.pairs(pairs)], kind: .fused)
                    .write(to: folder.appending("a.npz"), model: model)
            }
            #expect(error?.description.contains("no fusion layer") == true)
            // Its images have states and tokens like those of any other model.
            let report = try await FeatureExport([.images(paths)], kind: .image)
                .write(to: folder.appending("a.npz"), model: model)
            #expect(report.arrays[0].shape == [1, 20])
        }
    }
}
