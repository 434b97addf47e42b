import ImageText
import SystemPackage
import Testing

@Suite("Validation of data sets")
struct DatasetValidatorTests {
    @Test("Each problem is found in its place", arguments: [1, 4])
    func problems(_ workers: Int) async throws {
        try await DatasetFixtures.withFolder { folder in
            var dataset = try DatasetFixtures.images(8, in: folder)
            let paths = dataset.images.map(\.path)
            try DatasetFixtures.write("nothing", to: paths[1])
            try DatasetFixtures.write(DatasetFixtures.bitmap(2), to: paths[5])
            try DatasetFixtures.write(DatasetFixtures.bitmap(2), to: paths[7])
            dataset.images[0].path = folder.appending("missing.jpg")
            dataset.images[2].captions = []
            dataset.images[3].captions = ["a dog", " . ", "a dog", "A dog.", "a dog"]
            var shown: [Int] = []
            let report = try await DatasetValidator(workers: workers).validate(dataset) {
                #expect($0.total == 8)
                shown.append($0.done)
            }
            #expect(shown == Array(0...8))
            #expect(
                report.problems == [
                    .missingImage(folder.appending("missing.jpg")),
                    .undecodableImage(paths[1], reason: "is not an image of a known format"),
                    .noCaption(paths[2]),
                    .emptyCaption(paths[3], index: 1),
                    .repeatedPair(paths[3], caption: "a dog"),
                    .equivalentCaptions(paths[3], captions: ["a dog", "A dog."]),
                    .identicalImages([paths[2], paths[5], paths[7]]),
                ])
            #expect(report.isBroken)
            #expect(report.images == 8 && report.captions == 17)
            let words = try #require(report.words)
            #expect(words.minimum == 1 && words.maximum == 3 && words.median == 3)
            #expect(words.mean == Double(12 * 3 + 4 * 2 + 1) / 17)
            #expect(report.widths?.minimum == 8 && report.heights?.maximum == 8)
        }
    }

    @Test("Duplicates break nothing, and an empty data set is broken")
    func sound() async throws {
        try await DatasetFixtures.withFolder { folder in
            var dataset = try DatasetFixtures.images(3, in: folder)
            #expect(try await DatasetValidator().validate(dataset).problems.isEmpty)
            try DatasetFixtures.write(DatasetFixtures.bitmap(0), to: dataset.images[2].path)
            dataset.images[1].captions.append(dataset.images[1].captions[0])
            let report = try await DatasetValidator().validate(dataset)
            #expect(report.problems.count == 2 && !report.isBroken)
        }
        let empty = try await DatasetValidator().validate(CaptionDataset(images: []))
        #expect(empty.words == nil && empty.widths == nil && empty.isBroken)
    }

    @Test("A cancelled validation stops")
    func cancellation() async throws {
        try await DatasetFixtures.withFolder { folder in
            let dataset = try DatasetFixtures.images(50, in: folder)
            let task = Task {
                var done = 0
                do {
                    _ = try await DatasetValidator(workers: 1).validate(dataset) { progress in
                        done = progress.done
                        if done == 3 { withUnsafeCurrentTask { $0?.cancel() } }
                    }
                } catch is CancellationError {
                    return done
                }
                return -1
            }
            let done = try await task.value
            #expect((3...5).contains(done))
        }
    }
}
