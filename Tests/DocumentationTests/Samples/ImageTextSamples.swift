import ImageText
import SystemPackage
import TestSupport
import Testing

@Suite("Samples of ImageText")
struct ImageTextSamples: SampleSuite {
    let printed = Printed()

    @Test func images() throws {
        let path = Fixtures.path("images/orientation-6.jpg")
        // sample: prepare-an-image
        // shown: path = "street.jpg"
        let image = try ImageLoader().load(path)
        let planes = ImageTransform(side: 256)(image)
        print(image.width, image.height, planes.count)
        // end
        #expect(printed.lines.first?.hasSuffix(" \(3 * 256 * 256)") == true)
    }

    @Test func vocabulary() throws {
        // sample: learn-a-vocabulary
        let captions = ["a dog in the snow", "two dogs on snowy ground", "a dog at the door"]
        var words = WordCounts()
        words.add(captions)
        let vocabulary = try VocabularyTrainer(size: 60, minimumFrequency: 1).train(on: words)

        let tokenizer = WordPieceTokenizer(vocabulary: vocabulary)
        print(tokenizer.tokens(of: "a snowy dog"))
        print(VocabularyCoverage(of: vocabulary, on: words).singleTokenShare)
        // end
        #expect(printed.lines.first?.hasPrefix(#"["a", "#) == true)
        #expect(printed.lines.count == 2)
    }

    @Test func validation() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let path = try TinyCaptions.write(4, to: folder)
            // sample: validate-captions
            // shown: path = "captions.json"
            let dataset = try CaptionDataset(reading: [path])
            let report = try await DatasetValidator().validate(dataset)
            print("\(report.images) images, \(report.captions) captions")
            for problem in report.problems {
                print(problem)
            }
            // end
            #expect(printed.lines == ["4 images, 8 captions"])
        }
    }

    @Test func shards() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let path = try TinyCaptions.write(5, to: folder)
            let output = folder.appending("shards")
            // sample: pack-shards
            // shown: path = "captions.json"
            // shown: output = "shards"
            let dataset = try CaptionDataset(reading: [path])
            let packed = try ShardPacker(samplesPerShard: 2).pack(dataset, into: output)
            print("\(packed.index.sampleCount) samples in \(packed.index.entries.count) shards")
            // end
            let pattern = output.string + "/{000000..000002}.tar"
            // sample: read-shards
            // shown: pattern = "shards/{000000..000002}.tar"
            let samples = ShardSamples(try ShardList.addresses([pattern])) { damage in
                print(damage)
            }
            for try await sample in samples {
                print(sample.key, sample.image?.bytes.count ?? 0, try sample.captions())
            }
            // end
            #expect(printed.lines.count == 6)
            #expect(printed.lines[0] == "5 samples in 3 shards")
            #expect(printed.lines[1].hasPrefix("000000001 "))
        }
    }

    @Test func batches() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let path = try TinyCaptions.write(4, to: folder)
            // sample: load-batches
            // shown: path = "captions.json"
            let dataset = try CaptionDataset(reading: [path])
            let loader = try BatchLoader(
                dataset, batchSize: 2, transform: TrainingTransform(side: 32))
            for try await batch in loader.batches() {
                print(batch.captions)
                if batch.epoch == 1 { break }
            }
            // end
            #expect(printed.lines.count == loader.batchesPerEpoch + 1)
        }
    }
}
