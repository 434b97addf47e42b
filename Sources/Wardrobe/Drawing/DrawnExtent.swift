/// The smallest rectangle around drawn shapes, in the units of an ``SVGDrawing``.
struct DrawnExtent: Sendable, Hashable {
    var left, top, right, bottom: Double

    /// Returns the smallest rectangle around both.
    func union(_ other: DrawnExtent) -> DrawnExtent {
        DrawnExtent(
            left: min(left, other.left), top: min(top, other.top),
            right: max(right, other.right), bottom: max(bottom, other.bottom))
    }

    /// Returns the extent after a change of scale and a move of the origin.
    func placed(at x: Double, _ y: Double, scale: Double) -> DrawnExtent {
        DrawnExtent(
            left: x + left * scale, top: y + top * scale, right: x + right * scale,
            bottom: y + bottom * scale)
    }

    /// The part inside the drawing, which is 100 by 100 units; `nil` if none is.
    var clipped: DrawnExtent? {
        let part = DrawnExtent(
            left: max(left, 0), top: max(top, 0), right: min(right, 100), bottom: min(bottom, 100))
        return part.right > part.left && part.bottom > part.top ? part : nil
    }

    func contains(_ x: Double, _ y: Double) -> Bool {
        x >= left && x <= right && y >= top && y <= bottom
    }

    /// Returns the share that is inside the drawing and outside all covers, to a hundredth.
    func visibleShare(under covers: [DrawnExtent]) -> Double {
        let steps = 10
        var visible = 0
        for row in 0..<steps {
            for column in 0..<steps {
                let x = left + (right - left) * (Double(column) + 0.5) / Double(steps)
                let y = top + (bottom - top) * (Double(row) + 0.5) / Double(steps)
                guard x >= 0, y >= 0, x <= 100, y <= 100 else { continue }
                if !covers.contains(where: { $0.contains(x, y) }) { visible += 1 }
            }
        }
        return Double(visible) / Double(steps * steps)
    }
}
