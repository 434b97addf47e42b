import ALBEF

extension StepMetrics {
    /// The measurements with their TensorBoard tags; missing ones are omitted.
    package var scalars: [(tag: String, value: Double)] {
        let values: [(String, Double?)] = [
            ("loss/total", loss), ("loss/itc", itc), ("loss/itm", itm), ("loss/mlm", mlm),
            ("accuracy/itm", itmAccuracy), ("accuracy/task", accuracy),
            ("optimizer/learning_rate", learningRate),
            ("optimizer/gradient_norm", gradientNorm), ("teacher/alpha", alpha),
            ("temperature", temperature), ("speed/pairs_per_second", pairsPerSecond),
            ("memory/resident_mb", residentMegabytes),
        ]
        return values.compactMap { tag, value in value.map { (tag, $0) } }
    }
}

extension TaskMetrics {
    /// The measurement with its TensorBoard tag, `task/SPLIT/METRIC`.
    package var scalars: [(tag: String, value: Double)] { [("task/\(split)/\(metric)", value)] }
}

extension EvaluationMetrics {
    /// The recalls with their TensorBoard tags, `recall/SPLIT/STAGE/DIRECTION_rK`.
    package var scalars: [(tag: String, value: Double)] {
        [("dual", dual), ("reranked", reranked)].flatMap { stage, scores in
            guard let scores else { return [(tag: String, value: Double)]() }
            let directions = [("t2i", scores.textToImage), ("i2t", scores.imageToText)]
            return directions.flatMap { direction, recall in
                [("r1", recall.r1), ("r5", recall.r5), ("r10", recall.r10)].map {
                    (tag: "recall/\(split)/\(stage)/\(direction)_\($0)", value: $1)
                }
            }
        }
    }
}
