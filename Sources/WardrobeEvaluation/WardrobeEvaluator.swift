public import ALBEF
public import ALBEFTraining
import ImageText
import Torch
public import Wardrobe

/// An evaluator of models on the Wardrobe benchmark.
public struct WardrobeEvaluator: Sendable {
    private let benchmark: WardrobeBenchmark
    private let encoder: EvaluationEncoder
    private let side: Int
    private let ranking: RankingScore

    /// Creates an evaluator.
    ///
    /// - Parameters:
    ///   - benchmark: the tests.
    ///   - preprocessing: the preparation of the model's inputs.
    ///   - ranking: the score that re-ranks candidates; by default the match logit, as in the
    ///     original. The stage ``WardrobeStage/exhaustive`` always uses the match logit.
    ///   - recall: another model, whose features are compared; nil for the evaluated model's own.
    ///   - side: the side of drawn scenes in pixels, equal to that of the training images; 128 by
    ///     default.
    public init(
        _ benchmark: WardrobeBenchmark, preprocessing: ModelPreprocessing,
        ranking: RankingScore = .matching, recall: RecallModel? = nil, side: Int = 128
    ) {
        self.ranking = ranking
        self.benchmark = benchmark
        self.side = side
        encoder = EvaluationEncoder(
            preprocessing: preprocessing, recall: recall)
    }

    /// Runs all tests in all languages.
    ///
    /// - Parameters:
    ///   - model: the model.
    ///   - stages: the stages to evaluate; a stage other than ``WardrobeStage/towers`` requires an
    ///     ITM head.
    ///   - progress: called with the numbers of tests done and of all tests.
    /// - Returns: one row per language and stage.
    /// - Throws: `ImageError` if scenes cannot be drawn; `ALBEFError`; `CancellationError`.
    public func evaluate(
        _ model: ALBEFModel, stages: [WardrobeStage],
        progress: (Int, Int) -> Void = { _, _ in }
    ) async throws -> [WardrobeRow] {
        var done = 0
        let total = 4 * WardrobeLanguage.allCases.count
        func step() throws {
            try Task.checkCancellation()
            done += 1
            progress(done, total)
        }
        let swapImages = try await encode(benchmark.swapScenes, model)
        var galleries: [EncodedImageSet] = []
        for gallery in [benchmark.rare, benchmark.small, benchmark.all] {
            galleries.append(try await encode(gallery.scenes, model))
        }
        var rows: [WardrobeRow] = []
        for language in WardrobeLanguage.allCases {
            let swap = try swaps(swapImages, language, model, stages)
            try step()
            var orders: [[WardrobeStage: [[Int]]]] = []
            for (gallery, images) in zip(
                [benchmark.rare, benchmark.small, benchmark.all], galleries)
            {
                let queries = gallery.queries.compactMap { $0.text[language] }
                orders.append(try order(images, queries, model, stages))
                try step()
            }
            for stage in stages {
                let (rare, small, all) = (
                    orders[0][stage] ?? [], orders[1][stage] ?? [], orders[2][stage] ?? []
                )
                let swapped = swap[stage] ?? [:]
                let scores = WardrobeScores(
                    swap: mean(swapped.values.flatMap { $0 }),
                    swapCommon: mean(swapped[.common] ?? []),
                    swapRare: mean(swapped[.rare] ?? []),
                    swapNeighbours: mean(swapped[.neighbours] ?? []),
                    rareAt1: precision(rare, benchmark.rare.queries.map(\.right), 1),
                    rareAt10: precision(rare, benchmark.rare.queries.map(\.right), 10),
                    mirroredAt10: precision(rare, benchmark.rare.queries.map(\.mirrored), 10),
                    smallAt1: precision(small, benchmark.small.queries.map(\.right), 1),
                    smallAt10: precision(small, benchmark.small.queries.map(\.right), 10),
                    allAt1: recall(all, benchmark.all.queries.map(\.right), 1),
                    allAt5: recall(all, benchmark.all.queries.map(\.right), 5),
                    allAt10: recall(all, benchmark.all.queries.map(\.right), 10))
                rows.append(
                    WardrobeRow(language: language, stage: stage.name, scores: scores))
            }
        }
        return rows
    }

    private func encode(
        _ scenes: [WardrobeScene], _ model: ALBEFModel
    ) async throws -> EncodedImageSet {
        try await encoder.images(scenes.count, model) { [side] in
            try scenes[$0].image(side: side)
        }
    }

    // MARK: Tests

    /// Returns 1 for each true caption that scores higher and 0 for the others, by kind of
    /// exchange.
    private func swaps(
        _ images: EncodedImageSet, _ language: WardrobeLanguage, _ model: ALBEFModel,
        _ stages: [WardrobeStage]
    ) throws -> [WardrobeStage: [WardrobeBenchmark.Swap.Kind: [Double]]] {
        let swaps = benchmark.swaps
        let texts = swaps.flatMap { [$0.right[language] ?? "", $0.wrong[language] ?? ""] }
        let scores = encoder.scores(images, try encoder.texts(texts, model), model)
        let cosines: [Float] = scores.similarities.values()
        let needsFusion = stages.contains { $0 != .towers }
        var outcomes: [WardrobeStage: [WardrobeBenchmark.Swap.Kind: [Double]]] = [:]
        for (index, swap) in swaps.enumerated() {
            let pair = [2 * index, 2 * index + 1]
            let similarities = pair.map { cosines[swap.scene * texts.count + $0] }
            let logits =
                needsFusion ? try scores.matchLogits(image: swap.scene, texts: pair) : []
            for stage in stages {
                let found = pair.indices.map {
                    score(
                        stage, logits.isEmpty ? nil : logits[$0], similarities[$0],
                        temperature(model))
                }
                outcomes[stage, default: [:]][swap.kind, default: []]
                    .append(found[0] > found[1] ? 1 : 0)
            }
        }
        return outcomes
    }

    /// Returns the score by which a stage orders scenes.
    private func score(
        _ stage: WardrobeStage, _ logits: MatchLogits?, _ similarity: Float, _ temperature: Float
    ) -> Float {
        guard let logits, stage != .towers else { return similarity }
        let ranking = stage == .exhaustive ? .matching : ranking
        return ranking(logits, similarity: similarity, temperature: temperature)
    }

    /// Returns the temperature of the model whose cosines are compared.
    private func temperature(_ model: ALBEFModel) -> Float {
        (encoder.recall?.model ?? model).temperatureValue
    }

    /// Returns the scenes for each query, best first.
    private func order(
        _ images: EncodedImageSet, _ queries: [String], _ model: ALBEFModel,
        _ stages: [WardrobeStage]
    ) throws -> [WardrobeStage: [[Int]]] {
        let scores = encoder.scores(images, try encoder.texts(queries, model), model)
        let recalled = RetrievalScores.best(
            scores.similarities.transposed().contiguous(), images.features.size(0))
        let deepest =
            stages.map { stage in
                switch stage {
                case .towers: 0
                case .reranked(let depth): min(depth, images.features.size(0))
                case .exhaustive: images.features.size(0)
                }
            }.max() ?? 0
        let logits = try logits(scores, recalled.map { Array($0.prefix(deepest)) })
        let cosines: [Float] = scores.similarities.values()
        return Dictionary(
            uniqueKeysWithValues: stages.map { stage in
                let depth =
                    switch stage {
                    case .towers: 0
                    case .reranked(let depth): depth
                    case .exhaustive: deepest
                    }
                let orders = recalled.enumerated().map { query, order in
                    let found = order.prefix(depth).map { scene in
                        (
                            scene,
                            score(
                                stage, logits[query][scene], cosines[scene * queries.count + query],
                                temperature(model))
                        )
                    }
                    return found.sorted { $0.1 > $1.1 }.map(\.0) + order.dropFirst(depth)
                }
                return (stage, orders)
            })
    }

    /// Returns the match logits of each query with its candidates, by scene.
    private func logits(
        _ scores: RetrievalScores, _ candidates: [[Int]]
    ) throws -> [[Int: MatchLogits]] {
        var queriesByScene: [Int: [Int]] = [:]
        for (query, scenes) in candidates.enumerated() {
            for scene in scenes { queriesByScene[scene, default: []].append(query) }
        }
        var logits = [[Int: MatchLogits]](repeating: [:], count: candidates.count)
        for scene in queriesByScene.keys.sorted() {
            try Task.checkCancellation()
            let queries = queriesByScene[scene] ?? []
            for (query, logit) in zip(
                queries, try scores.matchLogits(image: scene, texts: queries))
            {
                logits[query][scene] = logit
            }
        }
        return logits
    }

    // MARK: Measures

    private func mean(_ values: [Double]) -> Double {
        values.isEmpty ? 0 : values.reduce(0, +) / Double(values.count)
    }

    private func precision(_ orders: [[Int]], _ right: [[Int]], _ depth: Int) -> Double {
        mean(
            zip(orders, right).map { order, right in
                let right = Set(right)
                return Double(order.prefix(depth).count { right.contains($0) }) / Double(depth)
            })
    }

    private func recall(_ orders: [[Int]], _ right: [[Int]], _ depth: Int) -> Double {
        mean(
            zip(orders, right).map { order, right in
                order.prefix(depth).contains { right.contains($0) } ? 1 : 0
            })
    }
}
