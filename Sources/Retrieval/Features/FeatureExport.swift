public import ImageText
public import SystemPackage
public import Torch
import WeightFiles

/// An export of features to a file that Python reads: `.npz`, `.npy` or `.safetensors`.
///
/// Rows are written as they are computed: memory holds the names of the images, but not their
/// vectors. An index is exported as it is stored, without a model.
///
/// | kind | array | labels of a row |
/// |---|---|---|
/// | aligned | `image_features` `[N, E]` | `image_paths` |
/// | aligned | `text_features` `[M, E]` | `texts` |
/// | image | `image_states` `[N, D_v]` | `image_paths` |
/// | tokens | `image_tokens` `[N, P + 1, D_v]` | `image_paths` |
/// | fused | `fused_states` `[N, D]` | `image_paths`, `texts` |
public struct FeatureExport: Sendable {
    /// Where rows come from.
    public enum Source: Sendable {
        /// Image files.
        case images([FilePath])
        /// Images with captions, one row per caption; for ``FeatureKind/fused`` alone.
        case pairs([CaptionedImage])
        /// The entries of an index, images or texts.
        case index(ForwardIndex)
        /// Texts.
        case texts([String])

        /// The number of rows, or of images if each has several rows.
        var count: Int {
            switch self {
            case .images(let paths): paths.count
            case .pairs(let images): images.count
            case .index(let index): index.count
            case .texts(let texts): texts.count
            }
        }

        /// Whether the rows are texts without images.
        var isOfTexts: Bool {
            switch self {
            case .images, .pairs: false
            case .index(let index): index.content == .texts
            case .texts: true
            }
        }
    }

    /// An image or a text that was left out.
    public struct Skipped: Sendable, Hashable, CustomStringConvertible {
        /// The image; nil for a text alone.
        public var image: FilePath?
        /// The text; nil for an image.
        public var text: String?
        /// The reason, in one line.
        public let reason: String

        /// Creates the description of what was left out.
        public init(image: FilePath? = nil, text: String? = nil, reason: String) {
            self.image = image
            self.text = text
            self.reason = reason
        }

        /// The image and the reason, in one line.
        public var description: String { image.map { "\($0): \(reason)" } ?? reason }
    }

    /// What was written.
    public struct Report: Sendable {
        /// The arrays, in the order of the file, with their shapes.
        public let arrays: [(name: String, shape: [Int])]
        /// The file of labels beside the arrays; nil if the file of arrays holds them.
        public let labelPath: FilePath?
        /// What was left out.
        public let skipped: [Skipped]
    }

    /// Where rows come from; those of images come first in the file.
    public var sources: [Source]
    /// The vectors to export.
    public var kind: FeatureKind
    /// The type of the numbers.
    public var dtype: DType
    /// Whether an unreadable image or an empty text is an error rather than left out.
    public var isStrict: Bool

    /// Creates an export.
    ///
    /// - Parameters:
    ///   - sources: Where rows come from.
    ///   - kind: The vectors to export. Default: aligned features.
    ///   - dtype: The type of the numbers. Default: single precision.
    ///   - isStrict: Whether an unreadable image or an empty text is an error. Default: false.
    public init(
        _ sources: [Source], kind: FeatureKind = .aligned, dtype: DType = .float32,
        isStrict: Bool = false
    ) {
        self.sources = sources
        self.kind = kind
        self.dtype = dtype
        self.isStrict = isStrict
    }

    /// Whether a model must encode something, because not all sources are indexes.
    public var needsModel: Bool {
        sources.contains { if case .index = $0 { false } else { true } }
    }

    /// Writes the file, which appears either complete or not at all.
    ///
    /// - Parameters:
    ///   - path: The file, whose extension is the format.
    ///   - model: The model; nil if all sources are indexes.
    ///   - batchSize: The number of images that the encoder processes at once; nil to choose by the
    ///     size of the model.
    ///   - onSkip: Called with everything that is left out.
    ///   - progress: Called with the number of images and texts done, and the total.
    /// - Returns: What was written.
    /// - Throws: ``FeatureExportError`` if there is nothing to export, or a source lacks the kind;
    ///   ``IndexError`` if an index was made with another model; `FileError` if the file cannot be
    ///   written; the errors of ``FeatureExtractor/images(_:skip:rows:)``.
    /// - Complexity: O(n) passes of the encoders for n images and texts that are not of an index.
    public func write(
        to path: FilePath, model: SearchModel?, batchSize: Int? = nil,
        onSkip: (Skipped) -> Void = { _ in }, progress: (Int, Int) -> Void = { _, _ in }
    ) async throws -> Report {
        try check(model)
        let ordered = sources.filter { !$0.isOfTexts } + sources.filter(\.isOfTexts)
        let arrays = try self.arrays(ordered, model)
        let writer = try ArrayWriter(path, arrays, metadata: metadata(model))
        let (total, isStrict) = (ordered.reduce(0) { $0 + $1.count }, isStrict)
        var (done, skipped) = (0, [Skipped]())
        func skip(_ row: Skipped) throws {
            if isStrict { throw FeatureExportError.skipped(row) }
            onSkip(row)
            skipped.append(row)
        }
        progress(0, total)
        var isInTexts = ordered.first?.isOfTexts ?? false
        for source in ordered {
            if source.isOfTexts, !isInTexts {
                try writer.endArray()
                isInTexts = true
            }
            let start = done
            try await write(source, with: model, batchSize, to: writer, skip) {
                progress(start + $0, total)
            }
            done += source.count
            progress(done, total)
        }
        guard writer.rowCounts.contains(where: { $0 > 0 }) else {
            throw FeatureExportError.nothing
        }
        try Task.checkCancellation()
        try writer.commit()
        return Report(
            arrays: zip(arrays, writer.rowCounts).map { ($0.name, [$1] + $0.rowShape) },
            labelPath: writer.labelPath, skipped: skipped)
    }

    /// Checks that all sources belong to one model and have the kind.
    private func check(_ model: SearchModel?) throws {
        guard !sources.isEmpty else { throw FeatureExportError.nothing }
        guard model != nil || !needsModel else { throw FeatureExportError.noModel }
        var signature = model?.signature
        for case .index(let index) in sources {
            if let signature { try index.check(signature) }
            signature = index.model
            _ = try index.shape(of: kind)
        }
        if kind != .aligned, sources.contains(where: \.isOfTexts) {
            throw FeatureExportError.texts(kind)
        }
    }

    /// Returns the arrays of the file: one of images or pairs, then one of texts.
    private func arrays(_ sources: [Source], _ model: SearchModel?) throws -> [RowArray] {
        let shape =
            try sources.lazy.compactMap { source in
                if case .index(let index) = source { try index.shape(of: kind) } else { nil }
            }.first ?? model?.shape(of: kind) ?? []
        let image = RowArray.LabelColumn(name: "image_paths", key: "image")
        let text = RowArray.LabelColumn(name: "texts", key: "text")
        var arrays: [RowArray] = []
        if sources.contains(where: { !$0.isOfTexts }) {
            let name =
                switch kind {
                case .aligned: "image_features"
                case .image: "image_states"
                case .tokens: "image_tokens"
                case .fused: "fused_states"
                }
            arrays.append(
                RowArray(
                    name: name, dtype: dtype, rowShape: shape,
                    labels: kind == .fused ? [image, text] : [image]))
        }
        if sources.contains(where: \.isOfTexts) {
            arrays.append(
                RowArray(name: "text_features", dtype: dtype, rowShape: shape, labels: [text]))
        }
        return arrays
    }

    private func metadata(_ model: SearchModel?) -> [String: String] {
        let signature: ModelSignature? =
            model?.signature
            ?? sources.lazy.compactMap { source in
                if case .index(let index) = source { index.model } else { nil }
            }.first
        return [
            "kind": kind.rawValue, "model": signature?.title ?? "",
            "model_sha256": signature?.fingerprint ?? "",
        ]
    }

    /// Writes the rows of one source.
    private func write(
        _ source: Source, with model: SearchModel?, _ batchSize: Int?, to writer: ArrayWriter,
        _ skip: (Skipped) throws -> Void, progress: (Int) -> Void
    ) async throws {
        func extractor() throws -> FeatureExtractor {
            guard let model else { throw FeatureExportError.noModel }
            return FeatureExtractor(model, kind: kind, batchSize: batchSize)
        }
        switch source {
        case .images(let paths):
            try await extractor().images(paths) { index, error in
                try skip(Skipped(image: paths[index], reason: error.reason))
            } rows: { rows, indices in
                try writer.append(rows, labels: indices.map { [RowLabel(paths[$0])] })
                progress((indices.last ?? 0) + 1)
            }
        case .pairs(let images):
            try await extractor().pairs(images) { pair, reason in
                let image = images[pair.image]
                try skip(
                    Skipped(
                        image: image.path, text: pair.caption.map { image.captions[$0] },
                        reason: reason))
            } rows: { rows, pairs in
                try writer.append(
                    rows,
                    labels: pairs.map { pair in
                        let image = images[pair.image]
                        let text = pair.caption.map { image.captions[$0] } ?? ""
                        return [RowLabel(image.path), RowLabel(text)]
                    })
                progress((pairs.last?.image ?? 0) + 1)
            }
        case .index(let index):
            var done = 0
            try index.forEachBatch(of: kind) { rows, entries in
                try writer.append(
                    rows,
                    labels: entries.map {
                        [index.content == .texts ? RowLabel($0.text) : RowLabel($0.path)]
                    })
                done += entries.count
                progress(done)
            }
        case .texts(let texts):
            try extractor().texts(texts) { index, error in
                try skip(Skipped(text: texts[index], reason: error.description))
            } rows: { rows, indices in
                try writer.append(rows, labels: indices.map { [RowLabel(texts[$0])] })
                progress((indices.last ?? 0) + 1)
            }
        }
    }
}
