import Foundation
import Storage
import SystemPackage

/// A line on standard error that shows the progress of long work.
///
/// On a terminal, the line is redrawn. In a file, a new line appears every ten seconds.
package struct ProgressBar {
    private let label: String
    private let unit: String
    private let start = ContinuousClock.now
    private var lastShown: ContinuousClock.Instant?
    private let isInteractive = Console.isInteractive

    /// Creates a bar and starts its clock.
    package init(_ label: String, unit: String) {
        self.label = label
        self.unit = unit
    }

    /// Shows the progress, unless it was shown a moment ago.
    package mutating func show(_ done: Int, of total: Int) {
        let now = ContinuousClock.now
        let pause: Duration = isInteractive ? .milliseconds(100) : .seconds(10)
        if let lastShown, done < total || !isInteractive, now - lastShown < pause { return }
        if !isInteractive, lastShown == nil {
            lastShown = start
            return
        }
        lastShown = now
        let line = Self.line(
            label: label, unit: unit, done: done, total: total, elapsed: (now - start).seconds)
        Console.write(isInteractive ? "\r\u{1B}[2K" + line : line + "\n", to: .standardError)
    }

    /// Clears the line, so that later output starts on an empty one.
    package func finish() {
        if isInteractive, lastShown != nil { Console.write("\r\u{1B}[2K", to: .standardError) }
    }

    /// Returns the text of the line: a bar, the counts, the rate and the remaining time.
    package static func line(
        label: String, unit: String, done: Int, total: Int, elapsed: Double
    ) -> String {
        let bar = NumberText.bar(done, of: total, width: 24)
        var line = "\(label) \(bar) \(done)/\(total) \(unit)"
        if done > 0, elapsed > 0 {
            let rate = Double(done) / elapsed
            line += String(format: rate < 10 ? ", %.2f/s" : ", %.0f/s", rate)
            if done < total { line += ", \(NumberText.time(Double(total - done) / rate)) left" }
        }
        return line
    }
}

extension Duration {
    /// The duration in seconds.
    package var seconds: Double {
        Double(components.seconds) + Double(components.attoseconds) * 1e-18
    }
}
