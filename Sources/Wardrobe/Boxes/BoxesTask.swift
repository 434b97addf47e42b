import ImageText

/// Statements about two images of boxes with shapes, in the form of NLVR2.
///
/// A statement counts, relates places or binds colours to shapes. Two pairs of images and two
/// statements make four items: each statement is true of one pair and false of the other, and of
/// each pair one statement is true. The images have the same shapes and colours in both cases. So
/// neither the words nor the images alone tell the label, and a list of what is there does not
/// either. The images have captions, too, for pretraining. Equal seeds and numbers give equal images,
/// captions and statements on every platform.
public struct BoxesTask: Sendable {
    /// What a statement says.
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        /// An image has a shape of a colour; the colours of its twin are exchanged.
        case has
        /// The number of boxes with a shape.
        case boxes
        /// The number of equal shapes.
        case number
        /// Two shapes share a box.
        case together
        /// In one box, a shape is above another.
        case above
        /// In one box, a shape is left of another.
        case leftOf = "left-of"
        /// One image has more of a colour or shape than the other.
        case more
        /// One image, both or neither show something.
        case onlyOne = "only-one"
    }

    /// Images, and what is said about them.
    public struct Part: Sendable, Hashable {
        /// The images.
        public var scenes: [BoxesScene] = []
        /// For each image its captions: a description of all boxes, and twice three facts.
        public var captions: [[String]] = []
        /// The statements; their numbers of scenes are those of ``scenes``.
        public var pairs: [WardrobeTasks.Pair] = []
    }

    /// The items to learn from.
    public let training: Part
    /// The items of the test, a tenth of all.
    public let test: Part

    /// The number of images of training and test.
    public var sceneCount: Int { training.scenes.count + test.scenes.count }

    /// Makes images and statements; nothing is drawn yet.
    ///
    /// - Parameters:
    ///   - seed: The seed, which no other data set should share.
    ///   - count: The number of items; rounded up to a multiple of 4, and at least 8.
    ///   - kinds: The kinds of statements, by turns; at least one. Default: all.
    ///   - progress: Called with the number of items done.
    /// - Throws: `CancellationError`.
    /// - Complexity: O(*n*) for *n* items.
    public init(
        seed: UInt64, items count: Int, kinds: [Kind] = Kind.allCases,
        progress: (Int) -> Void = { _ in }
    ) throws {
        precondition(!kinds.isEmpty, "no kinds of statements")
        let groups = Swift.max(2, (count + 3) / 4)
        let tests = Swift.max(1, groups / 10)
        training = try Self.part(
            seed: seed, stream: 0, groups: groups - tests, kinds, progress)
        let learned = training.pairs.count
        test = try Self.part(seed: seed, stream: 1, groups: tests, kinds) {
            progress(learned + $0)
        }
    }

    private static func part(
        seed: UInt64, stream: Int, groups: Int, _ kinds: [Kind], _ progress: (Int) -> Void
    ) throws -> Part {
        var part = Part()
        for index in 0..<groups {
            if index % 64 == 63 {
                try Task.checkCancellation()
                progress(part.pairs.count)
            }
            var random = SplitMix64(seed: seed, stream: stream, index)
            let contrast = BoxesContrast(kinds[index % kinds.count], &random)
            let pairs = [contrast.firstImages, contrast.secondImages].map { images in
                [images.left, images.right].map { part.place(of: $0, &random) }
            }
            for (statement, isFirst) in [(contrast.first, true), (contrast.second, false)] {
                for (scenes, isTrue) in zip(pairs, [isFirst, !isFirst]) {
                    part.pairs.append(
                        .init(scenes: scenes, sentence: statement.text, isTrue: isTrue))
                }
            }
        }
        progress(part.pairs.count)
        return part
    }
}

extension BoxesTask.Part {
    /// Returns the number of a scene, and adds it if it is not among the last few.
    fileprivate mutating func place(of scene: BoxesScene, _ random: inout SplitMix64) -> Int {
        // A group uses an image several times, which is drawn once.
        if let place = scenes.suffix(3).lastIndex(of: scene) { return place }
        scenes.append(scene)
        captions.append(scene.captions(&random))
        return scenes.count - 1
    }
}
