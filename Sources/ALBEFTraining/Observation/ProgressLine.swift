import Foundation
import Storage

/// The line that shows the progress of a training run.
public enum ProgressLine {
    /// Returns epoch and step, a bar, losses, speed, remaining time and memory, in one line.
    ///
    /// - Parameters:
    ///   - metrics: The metrics of the last step.
    ///   - totalSteps: The number of steps of the run.
    ///   - totalEpochs: The number of epochs of the run.
    ///   - secondsPerStep: The seconds per step, from which the remaining time follows. Default:
    ///     the mean over the run so far, evaluations included.
    ///   - barWidth: The width of the bar in characters; 0 for no bar. Default: 12.
    public static func text(
        _ metrics: StepMetrics, totalSteps: Int, totalEpochs: Int, secondsPerStep: Double? = nil,
        barWidth: Int = 12
    ) -> String {
        var progress = "step \(metrics.step)/\(totalSteps)"
        if barWidth > 0 {
            progress += " " + NumberText.bar(metrics.step, of: totalSteps, width: barWidth)
        }
        var loss = "loss \(NumberText.loss(metrics.loss))"
        let parts = [("itc", metrics.itc), ("itm", metrics.itm), ("mlm", metrics.mlm)]
            .compactMap { name, value in value.map { "\(name) \(NumberText.loss($0))" } }
        if !parts.isEmpty { loss += " (\(parts.joined(separator: " ")))" }
        if let accuracy = metrics.accuracy {
            loss += "  accuracy \(NumberText.fixed(100 * accuracy, 1)) %"
        }
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
}
