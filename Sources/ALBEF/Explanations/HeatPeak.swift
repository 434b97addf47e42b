public import ImageText

/// The hottest point of a heat map, and an estimate of the thing around it for images without
/// proposals of boxes.
///
/// The map is interpolated as in ``BoxHeat``, at 16 places along the side of each patch. The box is
/// the smallest around the places that are connected to the peak and at least half as hot. It shows
/// where the evidence is, which is often only a part of the thing, such as a face.
public struct HeatPeak: Sendable, Hashable {
    /// The column and the row of the hottest point, in pixels of the image, with fractions.
    public let x, y: Double
    /// The box around the heat of at least half the maximum, inside the image.
    public let box: BoundingBox

    private static let placesPerPatch = 16

    /// Finds the peak of a map.
    ///
    /// - Parameters:
    ///   - map: the heat of each patch, `[h, w]`, row by row.
    ///   - placement: the place of the map on the image.
    /// - Returns: nil if the map has no heat.
    /// - Complexity: O(h · w).
    public init?(of map: [Float], _ placement: HeatPlacement) {
        let (width, height) = (
            placement.mapWidth * Self.placesPerPatch, placement.mapHeight * Self.placesPerPatch
        )
        let heat = Self.interpolated(map, placement, width: width, height: height)
        guard let highest = heat.max(), highest > 0, highest.isFinite,
            let peak = heat.firstIndex(of: highest)
        else { return nil }
        let scale = (
            x: Double(placement.width) / Double(width),
            y: Double(placement.height) / Double(height)
        )
        x = Double(placement.left) + (Double(peak % width) + 0.5) * scale.x
        y = Double(placement.top) + (Double(peak / width) + 0.5) * scale.y
        let (columns, rows) = Self.region(around: peak, of: heat, width: width) {
            $0 >= highest / 2
        }
        guard
            let box = BoundingBox(
                x: Double(placement.left) + Double(columns.lowerBound) * scale.x,
                y: Double(placement.top) + Double(rows.lowerBound) * scale.y,
                width: Double(columns.count) * scale.x, height: Double(rows.count) * scale.y)
        else { return nil }
        self.box = box
    }

    /// Returns the map at `width` · `height` places, row by row.
    private static func interpolated(
        _ map: [Float], _ placement: HeatPlacement, width: Int, height: Int
    ) -> [Double] {
        let patches = placement.mapWidth
        precondition(map.count == patches * placement.mapHeight, "the map has another size")
        let across = CubicTaps.rows(from: patches, to: width)
        let down = CubicTaps.rows(from: placement.mapHeight, to: height)
        return down.flatMap { taps in
            let row = (0..<patches).map { column in
                taps.reduce(0) { $0 + $1.weight * Double(map[$1.patch * patches + column]) }
            }
            return across.map { $0.reduce(0) { $0 + $1.weight * row[$1.patch] } }
        }
    }

    /// Returns the columns and rows of the places that are connected to a place, side by side, and
    /// hot enough.
    private static func region(
        around start: Int, of heat: [Double], width: Int, _ isHot: (Double) -> Bool
    ) -> (columns: ClosedRange<Int>, rows: ClosedRange<Int>) {
        var seen = [Bool](repeating: false, count: heat.count)
        var waiting = [start]
        seen[start] = true
        var columns = start % width...start % width
        var rows = start / width...start / width
        while let place = waiting.popLast() {
            let (column, row) = (place % width, place / width)
            columns = min(columns.lowerBound, column)...max(columns.upperBound, column)
            rows = min(rows.lowerBound, row)...max(rows.upperBound, row)
            var neighbours: [Int] = []
            if column > 0 { neighbours.append(place - 1) }
            if column < width - 1 { neighbours.append(place + 1) }
            if row > 0 { neighbours.append(place - width) }
            if place + width < heat.count { neighbours.append(place + width) }
            for next in neighbours where !seen[next] && isHot(heat[next]) {
                seen[next] = true
                waiting.append(next)
            }
        }
        return (columns, rows)
    }
}
