import Foundation

/// Numbers formatted for people, the same in every locale.
package enum NumberText {
    /// Formats a loss with two decimals, or three if it is below 1.
    package static func loss(_ value: Double) -> String { fixed(value, abs(value) < 1 ? 3 : 2) }

    /// Formats a rate with two decimals below 10, one below 100 and none above.
    package static func rate(_ value: Double) -> String {
        fixed(value, value < 10 ? 2 : value < 100 ? 1 : 0)
    }

    /// Formats a duration in seconds: `42 s`, `3 min 05 s`, `1 h 05 min`, `2 d 04 h`.
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

    /// Formats a number of bytes in decimal units: `17 KB`, `640 MB`, `1.9 GB`.
    package static func bytes(_ count: Double) -> String {
        guard count.isFinite else { return "unknown" }
        if count < 1e6 { return fixed(count / 1e3, 0) + " KB" }
        return count < 1e9 ? fixed(count / 1e6, 0) + " MB" : fixed(count / 1e9, 1) + " GB"
    }

    /// Formats a whole number with a comma between thousands: `12,000`.
    package static func count(_ value: Int) -> String {
        let digits = String(value.magnitude)
        var groups = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index).isMultiple(of: 3) { groups += "," }
            groups.append(digit)
        }
        return value < 0 ? "-" + groups : groups
    }

    /// Formats a number with a fixed number of decimals, or as `NaN`, `inf` or `-inf`.
    package static func fixed(_ value: Double, _ decimals: Int) -> String {
        guard value.isFinite else { return value.isNaN ? "NaN" : value < 0 ? "-inf" : "inf" }
        return String(format: "%.\(decimals)f", value)
    }

    /// Returns a bar of `width` characters that is filled by the completed share.
    ///
    /// The total may be an estimate, so `done` may exceed it.
    package static func bar(_ done: Int, of total: Int, width: Int) -> String {
        let share = total > 0 ? min(max(Double(done) / Double(total), 0), 1) : 1
        let filled = Int(share * Double(width))
        return String(repeating: "█", count: filled) + String(repeating: "░", count: width - filled)
    }
}
