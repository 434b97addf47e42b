internal import SystemPackage

#if canImport(FoundationEssentials)
    internal import FoundationEssentials
#else
    internal import Foundation
#endif

/// Checks a data set for everything that would harm training.
public struct DatasetValidator: Sendable {
    /// The progress of the check of the images.
    public struct Progress: Sendable {
        /// The number of images checked.
        public let done: Int
        /// The number of images to check.
        public let total: Int
    }

    let loader: ImageLoader
    let workers: Int
    private let rules: TextRules

    /// Creates a validator.
    ///
    /// - Parameters:
    ///   - loader: The image decoder.
    ///   - workers: The number of images decoded at once, at least 1; the number of active
    ///     processors by default.
    ///   - rules: The text preparation that decides whether two captions differ and whether a
    ///     caption is empty.
    public init(
        loader: ImageLoader = ImageLoader(), workers: Int? = nil, rules: TextRules = .albef
    ) {
        self.loader = loader
        self.workers = max(1, workers ?? ProcessInfo.processInfo.activeProcessorCount)
        self.rules = rules
    }

    /// Checks every caption and decodes every image.
    ///
    /// - Parameters:
    ///   - dataset: The images with captions.
    ///   - onProgress: Called after each image, on the caller's task.
    /// - Returns: The counts, the distributions and all problems.
    /// - Throws: `CancellationError` if the task is cancelled.
    public func validate(
        _ dataset: CaptionDataset, onProgress: (Progress) -> Void = { _ in }
    ) async throws -> DatasetReport {
        var report = DatasetReport()
        report.images = dataset.images.count
        let found = try await outcomes(dataset.images, onProgress: onProgress)
        report.add(found)
        report.problems += try identical(dataset.images, found)
        return report
    }

    // MARK: Captions

    func problems(ofCaptions image: CaptionedImage) -> [DatasetReport.Problem] {
        guard !image.captions.isEmpty else { return [.noCaption(image.path)] }
        var problems: [DatasetReport.Problem] = []
        // Distinct captions, grouped by the text that the model reads, in order.
        var variants: [String: [String]] = [:]
        var order: [String] = []
        var repeated: Set<String> = []
        for (index, caption) in image.captions.enumerated() {
            let seen = rules.caption(caption)
            guard !seen.isEmpty else {
                problems.append(.emptyCaption(image.path, index: index))
                continue
            }
            if variants[seen] == nil { order.append(seen) }
            if variants[seen, default: []].contains(caption) {
                if repeated.insert(caption).inserted {
                    problems.append(.repeatedPair(image.path, caption: caption))
                }
            } else {
                variants[seen, default: []].append(caption)
            }
        }
        for captions in order.compactMap({ variants[$0] }) where captions.count > 1 {
            problems.append(.equivalentCaptions(image.path, captions: captions))
        }
        return problems
    }

    // MARK: Images

    /// What was found out about one image.
    struct Outcome: Sendable {
        var problems: [DatasetReport.Problem] = []
        /// One count per caption.
        var characters: [Int] = []
        var words: [Int] = []
        var hash: ContentHash?
        /// Whether a sample of a shard has an image.
        var hasImage = false
        var width: Int?
        var height: Int?
    }

    private func outcomes(
        _ images: [CaptionedImage], onProgress: (Progress) -> Void
    ) async throws -> [Outcome] {
        var outcomes = [Outcome](repeating: Outcome(), count: images.count)
        onProgress(Progress(done: 0, total: images.count))
        try await withThrowingTaskGroup(of: (Int, Outcome).self) { group in
            var remaining = images.indices.makeIterator()
            func startNext() {
                guard let index = remaining.next() else { return }
                let image = images[index]
                group.addTask {
                    try Task.checkCancellation()
                    return (index, check(image))
                }
            }
            for _ in 0..<workers { startNext() }
            var done = 0
            while let (index, outcome) = try await group.next() {
                outcomes[index] = outcome
                done += 1
                startNext()
                onProgress(Progress(done: done, total: images.count))
            }
        }
        return outcomes
    }

    private func check(_ image: CaptionedImage) -> Outcome {
        let path = image.path
        var outcome = Outcome()
        do throws(ImageError) {
            try check(ImageFile.read(path) { _ in }, at: path, &outcome)
        } catch {
            outcome.problems.append(
                ImageFile.exists(path)
                    ? .undecodableImage(path, reason: error.reason) : .missingImage(path))
        }
        checkCaptions(of: image, &outcome)
        return outcome
    }

    /// Decodes the content of an image file.
    func check(
        _ bytes: [UInt8], at path: FilePath, _ outcome: inout Outcome
    ) throws(ImageError) {
        outcome.hash = bytes.withUnsafeBytes { ContentHash($0) }
        let image = try loader.load(bytes, named: path.description)
        outcome.width = image.width
        outcome.height = image.height
    }

    /// Measures captions and looks for their faults.
    func checkCaptions(of image: CaptionedImage, _ outcome: inout Outcome) {
        outcome.problems += problems(ofCaptions: image)
        outcome.characters = image.captions.map(\.count)
        outcome.words = image.captions.map { $0.split(whereSeparator: \.isWhitespace).count }
    }

    /// Returns the groups of files with the same bytes; equal fingerprints only make them likely.
    private func identical(
        _ images: [CaptionedImage], _ outcomes: [Outcome]
    ) throws -> [DatasetReport.Problem] {
        var byHash: [ContentHash: [Int]] = [:]
        for (index, outcome) in outcomes.enumerated() {
            if let hash = outcome.hash { byHash[hash, default: []].append(index) }
        }
        let suspects = byHash.values.filter { $0.count > 1 }.sorted { $0[0] < $1[0] }
        var problems: [DatasetReport.Problem] = []
        for suspects in suspects {
            try Task.checkCancellation()
            var groups: [(bytes: [UInt8], paths: [FilePath])] = []
            for path in suspects.map({ images[$0].path }) {
                // A file that has become unreadable since can no longer be compared.
                guard let bytes = try? ImageFile.read(path, accept: { _ in }) else { continue }
                if let same = groups.firstIndex(where: { $0.bytes == bytes }) {
                    groups[same].paths.append(path)
                } else {
                    groups.append((bytes, [path]))
                }
            }
            for group in groups where group.paths.count > 1 {
                problems.append(.identicalImages(group.paths))
            }
        }
        return problems
    }
}

extension DatasetReport {
    /// Adds what was found out about the images.
    mutating func add(_ outcomes: [DatasetValidator.Outcome]) {
        captions = outcomes.reduce(0) { $0 + $1.characters.count }
        characters = .init(outcomes.flatMap(\.characters))
        words = .init(outcomes.flatMap(\.words))
        widths = .init(outcomes.compactMap(\.width))
        heights = .init(outcomes.compactMap(\.height))
        problems = outcomes.flatMap(\.problems)
    }
}
