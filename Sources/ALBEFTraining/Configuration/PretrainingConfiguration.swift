public import ALBEF

/// Everything that a pretraining run depends on, as its YAML file names it.
///
/// Presets name every key with its reason (`albef pretrain --preset albef --print`); a file of
/// one's own names what differs. Unknown keys are refused.
public struct PretrainingConfiguration: Sendable, Hashable, Codable {
    /// What is trained.
    public var model: Model
    /// What it learns from.
    public var data: Data
    /// What becomes of an image before the model sees it.
    public var augmentation: Augmentation
    /// Which objectives, with which negatives and labels.
    public var objectives: ObjectiveConfiguration
    /// How weights move.
    public var optimizer: Optimizer
    /// How long, in what portions, on what machine.
    public var training: Training
    /// How the model is judged on the way.
    public var evaluation: Evaluation

    /// What is trained.
    public struct Model: Sendable, Hashable, Codable {
        /// A model directory to start from, which then decides all sizes; nil for random weights.
        public var start: String?
        /// A WordPiece vocabulary, one token a line; nil only with ``start``, whose own is used.
        public var vocabulary: String?
        /// Which implementation's conventions: `albef` or `lavis`.
        public var dialect: Dialect
        /// Side of the square input in pixels; a multiple of ``patchSize``.
        public var imageSize: Int
        /// Side of a patch in pixels.
        public var patchSize: Int
        /// Width of image tokens (D_v).
        public var imageWidth: Int
        /// Blocks of the image encoder.
        public var imageDepth: Int
        /// Attention heads of the image encoder.
        public var imageHeads: Int
        /// Width of text tokens (D).
        public var textWidth: Int
        /// Layers of the text encoder.
        public var textDepth: Int
        /// Layers of the fusion encoder.
        public var fusionDepth: Int
        /// Attention heads of the text and fusion encoders.
        public var textHeads: Int
        /// Length of the table of text positions.
        public var positions: Int
        /// Tokens that a caption is cut to, special ones included.
        public var maximumTokens: Int
        /// Length of the aligned features (E).
        public var embeddingWidth: Int
        /// Whether captions are lower-cased and stripped of accents.
        public var lowercases: Bool

        enum CodingKeys: String, CodingKey {
            case start, vocabulary, dialect
            case imageSize = "image_size"
            case patchSize = "patch_size"
            case imageWidth = "image_width"
            case imageDepth = "image_depth"
            case imageHeads = "image_heads"
            case textWidth = "text_width"
            case textDepth = "text_depth"
            case fusionDepth = "fusion_depth"
            case textHeads = "text_heads"
            case positions
            case maximumTokens = "maximum_tokens"
            case embeddingWidth = "embedding_width"
            case lowercases
        }

        /// The sizes as a model takes them.
        public func configuration(vocabularySize: Int) -> ALBEFConfiguration {
            ALBEFConfiguration(
                dialect: dialect,
                vision: .init(
                    imageSize: imageSize, patchSize: patchSize, width: imageWidth,
                    depth: imageDepth, heads: imageHeads, mlpWidth: 4 * imageWidth),
                text: .init(
                    vocabularySize: vocabularySize, width: textWidth,
                    depth: textDepth + fusionDepth, fusionLayer: textDepth, heads: textHeads,
                    mlpWidth: 4 * textWidth, positions: positions, maximumTokens: maximumTokens,
                    lowercases: lowercases),
                embeddingWidth: embeddingWidth)
        }
    }

    /// What it learns from.
    public struct Data: Sendable, Hashable, Codable {
        /// Annotation files or folders, read one after another.
        public var train: [String]
        /// Annotation files to judge by on the way; may be empty.
        public var validation: [String]
        /// Folder that relative image paths start from; nil for the annotation file's own.
        public var images: String?
        /// What one row of an epoch is.
        public var rows: Rows
        /// Rows, one after another in the data, that stay in one batch; 1 for none.
        public var group: Int
        /// Images decoded at once; 0 for one a processor core.
        public var workers: Int
        /// Batches prepared ahead of the step.
        public var lookahead: Int
        /// Memory for decoded images in megabytes, for sets that are read many times.
        public var cacheMegabytes: Int
        /// Augmented views of each image, drawn once, of which the frozen part of a trunk makes a
        /// feature map once; 0 to draw and compute anew at each step.
        public var trunkViews: Int
        /// Where these maps are kept, so that several runs can use them one after another; nil for
        /// the run's directory.
        public var trunkMaps: String?

        /// What one row of an epoch is.
        public enum Rows: String, Sendable, Hashable, Codable, CaseIterable {
            /// An image with one of its captions at random, as the original pretrains.
            case images
            /// A caption with its image, as the original fine-tunes retrieval.
            case captions
        }

        enum CodingKeys: String, CodingKey {
            case train, validation, images, rows, group, workers, lookahead
            case cacheMegabytes = "cache_megabytes"
            case trunkViews = "trunk_views"
            case trunkMaps = "trunk_maps"
        }
    }

    /// What becomes of an image before the model sees it.
    public struct Augmentation: Sendable, Hashable, Codable {
        /// The smallest share of an image's area that a crop keeps; 1 for no crop.
        public var minimumScale: Double
        /// Whether half of the images are mirrored.
        public var flips: Bool
        /// RandAugment operations an image (N); 0 for none.
        public var operations: Int
        /// Strength of those operations (M), 0 to 10.
        public var magnitude: Int

        enum CodingKeys: String, CodingKey {
            case minimumScale = "minimum_scale"
            case flips, operations, magnitude
        }
    }

    /// How weights move.
    public struct Optimizer: Sendable, Hashable, Codable {
        /// The learning rate at its peak.
        public var learningRate: Double
        /// The learning rate at the end.
        public var minimumLearningRate: Double
        /// The learning rate at the first step.
        public var warmupLearningRate: Double
        /// Steps of the first epoch in which the rate rises to its peak.
        public var warmupSteps: Int
        /// How it falls afterwards.
        public var schedule: LearningRateSchedule.Shape
        /// Decay of weights per step, relative to the learning rate.
        public var weightDecay: Double
        /// Which parameters decay; ignored when the objectives are faithful.
        public var decays: WeightDecay
        /// Gradients longer than this are shortened to it; 0 for never.
        public var clipNorm: Double
        /// What stays as it is; empty for nothing.
        ///
        /// Names of parts (`image`), of blocks (`text.0-2`), and whatever else
        /// `Documentation/training.md` lists, or the starts of parameters' names.
        public var frozen: [String]
        /// The learning rate of each part, relative to ``learningRate``; default 1.
        public var rates: Rates
        /// A further factor for the parts that were made at random; default 1.
        public var newPartsRate: Double
        /// A further factor d for each block below the end of its stack; default 1.
        ///
        /// Of L blocks, block i has `d^(L - i)` and the embeddings have `d^(L + 1)`.
        public var layerDecay: Double

        /// The learning rate of each part, relative to the optimizer's.
        public struct Rates: Sendable, Hashable, Codable {
            /// Of the image encoder.
            public var image: Double
            /// Of the text encoder.
            public var text: Double
            /// Of the fusion encoder.
            public var fusion: Double
            /// Of the projections, the temperature and the heads of ITM and MLM.
            public var heads: Double
        }

        enum CodingKeys: String, CodingKey {
            case learningRate = "learning_rate"
            case minimumLearningRate = "minimum_learning_rate"
            case warmupLearningRate = "warmup_learning_rate"
            case warmupSteps = "warmup_steps"
            case schedule
            case weightDecay = "weight_decay"
            case decays
            case clipNorm = "clip_norm"
            case frozen, rates
            case newPartsRate = "new_parts_rate"
            case layerDecay = "layer_decay"
        }
    }

    /// How long, in what portions, on what machine.
    public struct Training: Sendable, Hashable, Codable {
        /// Times that the data is gone through.
        public var epochs: Int
        /// Pairs a forward pass (N).
        public var batchSize: Int
        /// Forward passes a step, their gradients averaged.
        public var accumulation: Int
        /// Type of products and convolutions; weights stay in single precision.
        public var precision: Precision
        /// Whether the image encoder's blocks are computed again for their gradients.
        public var gradientCheckpointing: Bool
        /// What everything random is drawn from.
        public var seed: UInt64
        /// `cpu`, `cuda`, `cuda:N`, `mps` or `auto`.
        public var device: String
        /// Steps between lines of the log.
        public var logSteps: Int
        /// Steps between checkpoints; there is one at the end of every epoch too.
        public var checkpointSteps: Int

        /// Type of products and convolutions.
        public enum Precision: String, Sendable, Hashable, Codable, CaseIterable {
            /// Single precision throughout.
            case float32
            /// Half of the bits, the range of single precision: the choice where a GPU has it.
            case bfloat16
            /// Half precision with a scaled loss, for older GPUs.
            case float16
        }

        enum CodingKeys: String, CodingKey {
            case epochs
            case batchSize = "batch_size"
            case accumulation, precision
            case gradientCheckpointing = "gradient_checkpointing"
            case seed, device
            case logSteps = "log_steps"
            case checkpointSteps = "checkpoint_steps"
        }
    }

    /// How the model is judged on the way.
    public struct Evaluation: Sendable, Hashable, Codable {
        /// Steps between evaluations; 0 for the end of every epoch.
        public var steps: Int
        /// Images used, the first ones; 0 for all.
        public var images: Int
        /// Candidates that the fusion encoder re-ranks (k); 0 for none.
        public var depth: Int

        /// Creates settings.
        public init(steps: Int, images: Int, depth: Int) {
            self.steps = steps
            self.images = images
            self.depth = depth
        }
    }
}
