public import ALBEF

/// The settings of a run of pretraining or fine-tuning, as its YAML file names them.
///
/// A preset names every key and explains it (`albef pretrain --preset albef --print`). A user's
/// file names only the keys that differ. Unknown keys are rejected.
public struct TrainingConfiguration: Sendable, Hashable, Codable {
    /// The model to train.
    public var model: Model
    /// The training and validation data.
    public var data: Data
    /// The augmentation of training images.
    public var augmentation: Augmentation
    /// The objectives, with their negatives and labels.
    public var objectives: ObjectiveConfiguration
    /// The optimizer, its learning rates and the parts that it leaves unchanged.
    public var optimizer: Optimizer
    /// The length of the training, its batches and its device.
    public var training: Training
    /// The evaluation during training.
    public var evaluation: Evaluation
    /// The exchange between processes that train together.
    public var distributed: Distributed

    /// The model to train.
    public struct Model: Sendable, Hashable, Codable {
        /// The task to train for, which decides the heads of the model.
        ///
        /// All tasks but pretraining start from ``start``, by the rules of `TaskStart`.
        public var task: ALBEFConfiguration.Task
        /// A model directory to start from, which then determines all sizes; nil for random
        /// weights.
        ///
        /// In fine-tuning, ``imageSize`` and ``maximumTokens`` hold nevertheless.
        public var start: String?
        /// A WordPiece vocabulary file with one token per line; nil is valid only with ``start``,
        /// whose vocabulary is then used.
        public var vocabulary: String?
        /// The implementation whose conventions the model follows: `albef` or `lavis`.
        public var dialect: Dialect
        /// The side of the square input image in pixels, a multiple of ``patchSize``.
        public var imageSize: Int
        /// The side of a patch in pixels.
        public var patchSize: Int
        /// The width of image tokens (D_v).
        public var imageWidth: Int
        /// The number of blocks in the image encoder.
        public var imageDepth: Int
        /// The number of attention heads in the image encoder.
        public var imageHeads: Int
        /// The width of text tokens (D).
        public var textWidth: Int
        /// The number of layers in the text encoder.
        public var textDepth: Int
        /// The number of layers in the fusion encoder.
        public var fusionDepth: Int
        /// The number of attention heads in the text and fusion encoders.
        public var textHeads: Int
        /// The number of text position embeddings.
        public var positions: Int
        /// The number of tokens to which a caption is cut, special tokens included.
        public var maximumTokens: Int
        /// The length of the aligned features (E).
        public var embeddingWidth: Int
        /// Whether captions are lower-cased and stripped of accents.
        public var lowercases: Bool

        enum CodingKeys: String, CodingKey {
            case task, start, vocabulary, dialect
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

        /// Returns the architecture that these settings describe, for a vocabulary of the given
        /// size.
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

    /// The training and validation data.
    public struct Data: Sendable, Hashable, Codable {
        /// Annotation files or folders, read in this order; or shards, as paths, patterns, commands
        /// or addresses.
        public var train: [String]
        /// Annotation files for the evaluation during training; may be empty.
        public var validation: [String]
        /// The folder that relative image paths start from; nil for the folder of each annotation
        /// file.
        public var images: String?
        /// The same for the questions of Visual Genome; nil for ``images``.
        public var genomeImages: String?
        /// The list of answers among which the evaluation of VQA chooses; nil to write answers
        /// freely.
        public var answers: String?
        /// What one row of an epoch consists of.
        public var rows: Rows
        /// The number of consecutive rows that stay in one batch; 1 to shuffle rows individually.
        public var group: Int
        /// The number of images decoded at once; 0 for one per processor core.
        public var workers: Int
        /// The number of batches prepared ahead of the step.
        public var lookahead: Int
        /// Memory for decoded images in megabytes, for data sets that are read many times.
        public var cacheMegabytes: Int
        /// The number of augmented views per image that are drawn once and whose feature maps the
        /// frozen part of a trunk computes once; 0 to draw and compute views anew in every step.
        public var trunkViews: Int
        /// The file of these feature maps, which several runs can use one after another; nil for a
        /// file in the run's directory.
        public var trunkMaps: String?
        /// With shards: the number of samples among which each one is drawn, whose files are in
        /// memory.
        public var shuffleBuffer: Int
        /// With shards: the number of samples per epoch; 0 for as many as the index beside the
        /// shards says, or as a count of them finds.
        public var samplesPerEpoch: Int

        /// What one row of an epoch consists of.
        public enum Rows: String, Sendable, Hashable, Codable, CaseIterable {
            /// An image with one of its captions, chosen at random, as in the original's
            /// pretraining.
            case images
            /// A caption with its image, as in the original's fine-tuning for retrieval.
            case captions
        }

        enum CodingKeys: String, CodingKey {
            case train, validation, images
            case genomeImages = "genome_images"
            case answers, rows, group, workers, lookahead
            case cacheMegabytes = "cache_megabytes"
            case trunkViews = "trunk_views"
            case trunkMaps = "trunk_maps"
            case shuffleBuffer = "shuffle_buffer"
            case samplesPerEpoch = "samples_per_epoch"
        }
    }

    /// The augmentation of training images.
    public struct Augmentation: Sendable, Hashable, Codable {
        /// The smallest share of an image's area that a crop keeps; 1 for no crop.
        public var minimumScale: Double
        /// Whether each image is mirrored with a probability of one half.
        public var flips: Bool
        /// The number of RandAugment operations per image (N); 0 for none.
        public var operations: Int
        /// The strength of these operations (M), from 0 to 10.
        public var magnitude: Int

        enum CodingKeys: String, CodingKey {
            case minimumScale = "minimum_scale"
            case flips, operations, magnitude
        }
    }

    /// The optimizer, its learning rates and the parts that it leaves unchanged.
    public struct Optimizer: Sendable, Hashable, Codable {
        /// The peak learning rate.
        public var learningRate: Double
        /// The learning rate at the end of the run.
        public var minimumLearningRate: Double
        /// The learning rate at the first step.
        public var warmupLearningRate: Double
        /// The number of steps in the first epoch during which the rate rises to its peak.
        public var warmupSteps: Int
        /// The shape of the schedule after the warm-up.
        public var schedule: LearningRateSchedule.Shape
        /// Weight decay per step, relative to the learning rate.
        public var weightDecay: Double
        /// Which parameters decay; ignored if the objectives are faithful to the original code.
        public var decays: WeightDecay
        /// The norm to which longer gradients are shortened; 0 for no clipping.
        public var clipNorm: Double
        /// The parts that are not trained; empty to train everything.
        ///
        /// An entry names a part (`image`), some blocks (`text.0-2`) or another group that
        /// `Documentation/training.md` lists, or it is the beginning of parameter names.
        public var frozen: [String]
        /// The learning rate of each part, relative to ``learningRate``; 1 by default.
        public var rates: Rates
        /// A further factor for parts that were randomly initialized; 1 by default.
        public var newPartsRate: Double
        /// A further factor d for each block below the end of its stack; 1 by default.
        ///
        /// Block i of L has the factor `d^(L - i)`, and the embeddings have `d^(L + 1)`.
        public var layerDecay: Double

        /// The learning rate of each part, relative to the optimizer's.
        public struct Rates: Sendable, Hashable, Codable {
            /// The factor of the image encoder.
            public var image: Double
            /// The factor of the text encoder.
            public var text: Double
            /// The factor of the fusion encoder.
            public var fusion: Double
            /// The factor of the projections, the temperature and the heads of ITM and MLM.
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

    /// The length of the training, its batches and its device.
    public struct Training: Sendable, Hashable, Codable {
        /// The number of passes over the data.
        public var epochs: Int
        /// The number of pairs per forward pass (N), of all processes together.
        public var batchSize: Int
        /// The number of forward passes per step, whose gradients are averaged.
        public var accumulation: Int
        /// The precision of matrix products and convolutions; weights stay in single precision.
        public var precision: Precision
        /// Whether the image encoder's blocks are recomputed in the backward pass, which saves
        /// memory.
        public var gradientCheckpointing: Bool
        /// The seed of all random choices.
        public var seed: UInt64
        /// The device: `cpu`, `cuda`, `cuda:N`, `mps` or `auto`.
        public var device: String
        /// The number of steps between lines of the log.
        public var logSteps: Int
        /// The number of steps between checkpoints; the end of every epoch also writes one.
        public var checkpointSteps: Int

        /// The precision of matrix products and convolutions.
        public enum Precision: String, Sendable, Hashable, Codable, CaseIterable {
            /// Single precision throughout.
            case float32
            /// Half the bits with the range of single precision; preferable on GPUs that support
            /// it.
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

    /// The evaluation during training.
    public struct Evaluation: Sendable, Hashable, Codable {
        /// The number of steps between evaluations; 0 to evaluate at the end of every epoch.
        public var steps: Int
        /// The number of images to use, or of items in the tasks without retrieval, taken from the
        /// beginning of the data; 0 for all.
        public var images: Int
        /// The number of candidates that the fusion encoder re-ranks (k); 0 for none.
        public var depth: Int
        /// The number of answers per question that VQA scores as a whole.
        public var candidates: Int
        /// The recall by which retrieval chooses its best checkpoint.
        public var selection: Selection

        /// A recall by which checkpoints are compared.
        public enum Selection: String, Sendable, Hashable, Codable, CaseIterable {
            /// The mean of R@1, R@5 and R@10 in both directions, as in the original.
            case mean
            /// The mean of R@1, R@5 and R@10 of texts that find images.
            case textToImage = "text_to_image"
            /// The mean of R@1, R@5 and R@10 of images that find texts, as in LAVIS.
            case imageToText = "image_to_text"
        }

        /// Creates settings for the evaluation.
        public init(
            steps: Int, images: Int, depth: Int, candidates: Int = 128,
            selection: Selection = .mean
        ) {
            self.steps = steps
            self.images = images
            self.depth = depth
            self.candidates = candidates
            self.selection = selection
        }
    }

    /// The exchange between processes that train together; a single process ignores it.
    public struct Distributed: Sendable, Hashable, Codable {
        /// The pairs among which hard negatives are drawn.
        public var hardNegatives: Scope
        /// Whether each process keeps the optimizer's averages of some parameters alone.
        public var shardsOptimizer: Bool
        /// The size of the buckets in which gradients are exchanged, in megabytes.
        public var bucketMegabytes: Double
        /// The time to wait for another process, in seconds.
        public var timeoutSeconds: Int

        /// The pairs among which hard negatives are drawn.
        public enum Scope: String, Sendable, Hashable, Codable, CaseIterable {
            /// All pairs of a batch, as in a single process; the processes exchange their states.
            case global
            /// The pairs of the same process.
            case local
        }

        enum CodingKeys: String, CodingKey {
            case hardNegatives = "hard_negatives"
            case shardsOptimizer = "shard_optimizer"
            case bucketMegabytes = "bucket_megabytes"
            case timeoutSeconds = "timeout_seconds"
        }
    }
}
