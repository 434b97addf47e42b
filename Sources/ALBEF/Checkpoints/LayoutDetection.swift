import OrderedCollections
import SystemPackage
import Torch
import WeightFiles

/// Derives task, dialect and sizes from the tensors of a state dictionary.
struct LayoutDetection {
    let state: StateDictionary
    let options: CheckpointImporter.Options

    func configuration() throws -> ALBEFConfiguration {
        let hasTypes =
            state.tensor("text_encoder.bert.embeddings.token_type_embeddings.weight") != nil
        let dialect = options.dialect ?? (hasTypes ? .albef : .lavis)
        let vision = try vision()
        let text = try text(dialect)
        let configuration = ALBEFConfiguration(
            dialect: dialect, task: try task(), vision: vision, text: text,
            embeddingWidth: state.tensor("vision_proj.weight")?.shape.first ?? 256)
        do {
            try configuration.validate()
        } catch {
            throw ModelFileError(state.file, .configuration(error.description))
        }
        return configuration
    }

    private func task() throws -> ALBEFConfiguration.Task {
        let found: ALBEFConfiguration.Task
        if state.contains(prefix: "text_decoder.") {
            found = .vqa
        } else if let head = state.tensor("cls_head.2.weight") {
            switch head.shape.first {
            case 2: found = .nlvr
            case 3: found = .entailment
            default:
                throw ModelFileError(
                    state.file,
                    .tensor(
                        name: "cls_head.2.weight",
                        problem: "should have 2 (NLVR2) or 3 (entailment) rows; its shape is "
                            + "\(head.shape)"))
            }
        } else if state.tensor("ta_head.weight") != nil {
            found = .nlvr
        } else if state.tensor("itm_head.weight") != nil {
            found = state.keepsLanguageModel ? .pretraining : .retrieval
        } else {
            throw ModelFileError(state.file, .noTask)
        }
        guard let wanted = options.task, wanted != found else { return found }
        // Grounding models have exactly the parameters of retrieval models.
        guard wanted == .grounding, found == .retrieval else {
            throw ModelFileError(
                state.file,
                .option("holds a model for \(found.rawValue), not for \(wanted.rawValue)"))
        }
        return wanted
    }

    private func vision() throws -> ALBEFConfiguration.Vision {
        let patches = try shape("visual_encoder.patch_embed.proj.weight", rank: 4)
        let positions = try shape("visual_encoder.pos_embed", rank: 3)
        let side = Int(Double(max(positions[1] - 1, 0)).squareRoot().rounded())
        guard side > 0, side * side == positions[1] - 1 else {
            throw ModelFileError(
                state.file,
                .tensor(
                    name: "visual_encoder.pos_embed",
                    problem: "should have one row for the class token and a square number of rows "
                        + "for patches; its shape is "
                        + "\(positions)"))
        }
        let width = patches[0]
        return .init(
            imageSize: side * patches[2], patchSize: patches[2], width: width,
            depth: layers("visual_encoder.blocks."),
            heads: try heads(width, options.visionHeads, of: "vision"),
            mlpWidth: try shape("visual_encoder.blocks.0.mlp.fc1.weight", rank: 2)[0])
    }

    private func text(_ dialect: Dialect) throws -> ALBEFConfiguration.Text {
        let prefix = "text_encoder.bert"
        let words = try shape("\(prefix).embeddings.word_embeddings.weight", rank: 2)
        let positions = try shape("\(prefix).embeddings.position_embeddings.weight", rank: 2)[0]
        let layer = "\(prefix).encoder.layer."
        let depth = layers(layer)
        let fusionLayer = (0..<depth).first { state.contains(prefix: "\(layer)\($0).crossatt") }
        // The length to which each implementation cuts captions when it evaluates retrieval.
        let maximumTokens = dialect == .albef ? 30 : 35
        return .init(
            vocabularySize: words[0], width: words[1], depth: depth,
            fusionLayer: fusionLayer ?? depth,
            heads: try heads(words[1], options.textHeads, of: "text"),
            mlpWidth: try shape("\(layer)0.intermediate.dense.weight", rank: 2)[0],
            positions: positions, maximumTokens: min(maximumTokens, positions),
            lowercases: options.lowercases)
    }

    /// Returns the shape of a tensor from which other sizes are derived.
    private func shape(_ name: String, rank: Int) throws -> [Int] {
        guard let tensor = state.tensor(name) else {
            throw ModelFileError(state.file, .missing([name]))
        }
        guard tensor.shape.count == rank, tensor.shape.allSatisfy({ (1...1 << 24).contains($0) })
        else {
            throw ModelFileError(
                state.file,
                .tensor(
                    name: name,
                    problem: "should have \(rank) dimensions from 1 to \(1 << 24); its shape is "
                        + "\(tensor.shape)"))
        }
        return tensor.shape
    }

    /// Returns how many consecutive numbers, from 0, follow a prefix.
    private func layers(_ prefix: String) -> Int {
        let numbers = Set(
            state.elements.keys.compactMap { name in
                name.hasPrefix(prefix)
                    ? Int(name.dropFirst(prefix.count).prefix { $0 != "." }) : nil
            })
        var count = 0
        while numbers.contains(count) { count += 1 }
        return count
    }

    /// Returns the number of heads: shapes do not show it, and both implementations use 64 features
    /// per head.
    private func heads(_ width: Int, _ wanted: Int?, of tower: String) throws -> Int {
        let heads = wanted ?? max(width / 64, 1)
        guard heads > 0, width % heads == 0, wanted != nil || width % 64 == 0 else {
            throw ModelFileError(
                state.file,
                .option(
                    "the \(tower) width \(width) is not divisible "
                        + (wanted.map { "by \($0) heads" } ?? "by 64; give the number of heads")))
        }
        return heads
    }
}
