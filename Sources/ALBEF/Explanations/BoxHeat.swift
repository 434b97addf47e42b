public import ImageText

/// The heat inside boxes of an image, by which the original localises: the map is resized to the
/// image by bicubic interpolation, and a box scores the sum of its pixels over the square root of
/// its area.
///
/// Interpolation is linear in the map and separable, so the resized map is never made. Running sums
/// of the interpolation weights along each side turn the sum of a box into one weight per row and
/// one per column of the map. A value serves all maps of one ``HeatPlacement``.
///
/// Fractions count exactly: a pixel at the edge of a box counts by the share of it that the box
/// covers. (The original cuts edges down to whole pixels.) Outside of the image, and of the part
/// that the model reads, there is no heat, but the area of a box always counts as a whole.
/// Interpolation overshoots, so that a cool box beside a hot place may have a negative sum.
public struct BoxHeat: Sendable {
    /// The place of the maps on the image.
    public let placement: HeatPlacement
    private let across, down: RunningWeights

    /// Prepares the sums of boxes of an image.
    ///
    /// - Complexity: O(*s* · *p*) in time and memory for sides of *s* pixels and *p* patches.
    public init(_ placement: HeatPlacement) {
        self.placement = placement
        across = RunningWeights(
            patches: placement.mapWidth, start: placement.left, length: placement.width)
        down = RunningWeights(
            patches: placement.mapHeight, start: placement.top, length: placement.height)
    }

    /// Returns the sum of a map's heat inside a box, of which each pixel counts by the share that the
    /// box covers.
    ///
    /// - Parameters:
    ///   - map: the heat of each patch, `[h, w]`, row by row.
    ///   - box: a box in pixels of the image; it may extend beyond it.
    /// - Complexity: O(h · w), however large the box is.
    public func heat(of map: [Float], in box: BoundingBox) -> Double {
        let (width, height) = (placement.mapWidth, placement.mapHeight)
        precondition(
            map.count == width * height, "\(map.count) values do not fill \(width) x \(height)")
        let columns = across.weights(from: box.x, to: box.x + box.width)
        let rows = down.weights(from: box.y, to: box.y + box.height)
        var sum = 0.0
        for (y, weight) in rows.enumerated() where weight != 0 {
            var row = 0.0
            for x in 0..<width { row += columns[x] * Double(map[y * width + x]) }
            sum += weight * row
        }
        return sum
    }

    /// Returns the box with the highest score: heat over the square root of the area.
    ///
    /// - Parameters:
    ///   - boxes: the boxes to choose from.
    ///   - map: the heat of each patch, `[h, w]`, row by row.
    /// - Returns: the first of the boxes with the highest score; nil if no score is above 0, as in a
    ///   map without heat.
    /// - Complexity: O(*n* · h · w) for *n* boxes.
    public func choice(of boxes: [BoundingBox], by map: [Float]) -> BoxChoice? {
        var best: BoxChoice?
        for (index, box) in boxes.enumerated() {
            let score = heat(of: map, in: box) / box.area.squareRoot()
            if score > best?.score ?? 0 { best = BoxChoice(index: index, score: score) }
        }
        return best
    }
}

/// The box that a heat map chooses.
public struct BoxChoice: Sendable, Hashable {
    /// The index of the box.
    public let index: Int
    /// The sum of heat inside it over the square root of its area; more than 0.
    public let score: Double
}

/// The interpolation weights of the pixels along one side, summed up to each pixel.
private struct RunningWeights: Sendable {
    private let patches: Int
    private let start: Double
    private let length: Int
    /// The sums before each pixel and after the last, `[length + 1, patches]`.
    private let sums: [Double]

    /// - Parameters:
    ///   - patches: the number of patches.
    ///   - start: the first pixel that the patches cover.
    ///   - length: the number of pixels that they cover.
    init(patches: Int, start: Int, length: Int) {
        self.patches = patches
        self.start = Double(start)
        self.length = length
        var sums = [Double](repeating: 0, count: (length + 1) * patches)
        for (pixel, taps) in CubicTaps.rows(from: patches, to: length).enumerated() {
            let (before, after) = (pixel * patches, (pixel + 1) * patches)
            for patch in 0..<patches { sums[after + patch] = sums[before + patch] }
            for (patch, weight) in taps { sums[after + patch] += weight }
        }
        self.sums = sums
    }

    /// Returns the weight of each patch in the sum of the pixels between two edges.
    func weights(from lower: Double, to upper: Double) -> [Double] {
        let (first, last) = (sum(before: lower), sum(before: upper))
        return zip(last, first).map { $0 - $1 }
    }

    /// Returns the sums up to an edge, which may be inside a pixel.
    private func sum(before edge: Double) -> [Double] {
        let place = min(max(edge - start, 0), Double(length))
        let pixel = min(Int(place), length - 1)
        let share = place - Double(pixel)
        let (before, after) = (pixel * patches, (pixel + 1) * patches)
        return (0..<patches).map {
            sums[before + $0] + share * (sums[after + $0] - sums[before + $0])
        }
    }
}
