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
        var loss = "loss \(RunFormat.loss(metrics.loss))"
        let parts = [("itc", metrics.itc), ("itm", metrics.itm), ("mlm", metrics.mlm)]
            .compactMap { name, value in value.map { "\(name) \(RunFormat.loss($0))" } }
        if !parts.isEmpty { loss += " (\(parts.joined(separator: " ")))" }
        var fields = [
            "epoch \(metrics.epoch)/\(totalEpochs)", progress, loss,
            "\(RunFormat.rate(metrics.pairsPerSecond)) pairs/s",
        ]
        let left = totalSteps - metrics.step
        let pace = secondsPerStep ?? metrics.seconds / Double(max(metrics.step, 1))
        if left > 0, pace.isFinite, pace > 0 {
            fields.append("\(RunFormat.time(pace * Double(left))) left")
        }
        fields.append(RunFormat.bytes(metrics.residentMegabytes * 1e6))
        return fields.joined(separator: "  ")
    }

    static func bar(_ done: Int, of total: Int, width: Int) -> String {
        let fraction = total > 0 ? min(max(Double(done) / Double(total), 0), 1) : 1
        let filled = Int(fraction * Double(width))
        return String(repeating: "█", count: filled) + String(repeating: "░", count: width - filled)
    }
}

/// Numbers as people read them.
package enum RunFormat {
    /// A loss, to two decimals, or three below 1.
    static func loss(_ value: Double) -> String { fixed(value, abs(value) < 1 ? 3 : 2) }

    /// A rate, to three figures.
    static func rate(_ value: Double) -> String {
        fixed(value, value < 10 ? 2 : value < 100 ? 1 : 0)
    }

    /// A time in words: `42 s`, `3 min 05 s`, `1 h 05 min`, `2 d 04 h`.
    package static func time(_ seconds: Double) -> String {
        guard seconds.isFinite, seconds < 1e12 else { return "unknown time" }
        let seconds = Int(max(seconds, 0).rounded())
        if seconds < 60 { return "\(seconds) s" }
        if seconds < 3600 { return String(format: "%d min %02d s", seconds / 60, seconds % 60) }
        if seconds < 172_800 {
            return String(format: "%d h %02d min", seconds / 3600, seconds % 3600 / 60)
        }
        return String(format: "%d d %02d h", seconds / 86_400, seconds % 86_400 / 3600)
    }

    /// Memory in decimal units: `17 KB`, `640 MB`, `1.9 GB`.
    package static func bytes(_ count: Double) -> String {
        guard count.isFinite else { return "unknown" }
        if count < 1e6 { return fixed(count / 1e3, 0) + " KB" }
        return count < 1e9 ? fixed(count / 1e6, 0) + " MB" : fixed(count / 1e9, 1) + " GB"
    }

    /// A whole number with its thousands set apart: `12,000`.
    static func count(_ value: Int) -> String {
        let digits = String(value.magnitude)
        var groups = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index).isMultiple(of: 3) { groups += "," }
            groups.append(digit)
        }
        return value < 0 ? "-" + groups : groups
    }

    /// A number to so many decimals, whatever the locale.
    static func fixed(_ value: Double, _ decimals: Int) -> String {
        guard value.isFinite else { return value.isNaN ? "NaN" : value < 0 ? "-inf" : "inf" }
        return String(format: "%.\(decimals)f", value)
    }
}
