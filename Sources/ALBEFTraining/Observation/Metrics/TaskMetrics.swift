import Storage

/// The measurement of a downstream task after a step.
public struct TaskMetrics: Codable, Sendable, Hashable {
    /// The last step that the evaluated weights have seen.
    public var step: Int
    /// The epoch of that step, from 1.
    public var epoch: Int
    /// The name of the split, such as `validation`.
    public var split: String
    /// The number of items.
    public var items: Int
    /// The name of the metric: `accuracy`, or `vqa_accuracy` for answers that people gave.
    public var metric: String
    /// The value in percent.
    public var value: Double
    /// The standard error of the value over items, in percentage points.
    public var standardError: Double

    /// Creates the measurement of one evaluation.
    public init(
        step: Int, epoch: Int, split: String, items: Int, metric: String, value: Double,
        standardError: Double
    ) {
        self.step = step
        self.epoch = epoch
        self.split = split
        self.items = items
        self.metric = metric
        self.value = value
        self.standardError = standardError
    }

    /// The measurement in a sentence without an end, such as `accuracy 71.3 % (standard error 1.4) on
    /// 1,000 items of validation`.
    public var text: String {
        let name = metric == "vqa_accuracy" ? "accuracy of VQA" : metric
        return "\(name) \(NumberText.fixed(value, 1)) % (standard error"
            + " \(NumberText.fixed(standardError, 1))) on \(NumberText.count(items)) items of \(split)"
    }

    enum CodingKeys: String, CodingKey {
        case step, epoch, split, items, metric, value
        case standardError = "standard_error"
    }
}
