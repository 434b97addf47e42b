import Storage
import Foundation

/// The line that says how far a training run is.
public enum ProgressLine {
    /// Epoch and step, a bar, losses, rate, remaining time and memory, in one line.
    ///
    /// - Parameters:
    ///   - metrics: The last step's.
    ///   - totalSteps: How many steps the run has.
    ///   - totalEpochs: How many epochs the run has.
    ///   - secondsPerStep: What a step takes, for the remaining time; by default the mean over the
    ///     run so far, evaluations included.
    ///   - barWidth: Characters of the bar; 0 for none.
    public static func text(
        _ metrics: StepMetrics, totalSteps: Int, totalEpochs: Int, secondsPerStep: Double? = nil,
        barWidth: Int = 12
    ) -> String {
        var progress = "step \(metrics.step)/\(totalSteps)"
        if barWidth > 0 { progress += " " + bar(metrics.step, of: totalSteps, width: barWidth) }
        var loss = "loss \(NumberText.loss(metrics.loss))"
        let parts = [("itc", metrics.itc), ("itm", metrics.itm), ("mlm", metrics.mlm)]
            .compactMap { name, value in value.map { "\(name) \(NumberText.loss($0))" } }
        if !parts.isEmpty { loss += " (\(parts.joined(separator: " ")))" }
        var fields = [
            "epoch \(metrics.epoch)/\(totalEpochs)", progress, loss,
            "\(NumberText.rate(metrics.pairsPerSecond)) pairs/s",
        ]
        let left = totalSteps - metrics.step
        let pace = secondsPerStep ?? metrics.seconds / Double(max(metrics.step, 1))
        if left > 0, pace.isFinite, pace > 0 {
            fields.append("\(NumberText.time(pace * Double(left))) left")
        }
        fields.append(NumberText.bytes(metrics.residentMegabytes * 1e6))
        return fields.joined(separator: "  ")
    }

    static func bar(_ done: Int, of total: Int, width: Int) -> String {
        let fraction = total > 0 ? min(max(Double(done) / Double(total), 0), 1) : 1
        let filled = Int(fraction * Double(width))
        return String(repeating: "█", count: filled) + String(repeating: "░", count: width - filled)
    }
}
