import ALBEF
import ImageText
import TestSupport
import Testing
import Torch

@Suite("The heat in boxes")
struct BoxHeatTests {
    private static func box(_ x: Double, _ y: Double, _ width: Double, _ height: Double) throws
        -> BoundingBox
    {
        try #require(BoundingBox(x: x, y: y, width: width, height: height))
    }

    /// A map with its image, and the same map resized to the image by libtorch.
    private struct Sample {
        let placement: HeatPlacement
        let map: [Float]
        let pixels: [Double]

        init(_ random: inout SplitMix64) {
            func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }
            let (width, height) = (number(1...9), number(1...9))
            placement = HeatPlacement(
                mapWidth: width, mapHeight: height, imageWidth: number(1...60),
                imageHeight: number(1...60))
            map = (0..<width * height).map { _ in Float.random(in: 0...1, using: &random) }
            pixels = Tensor(map, shape: [1, 1, height, width]).interpolatedBicubic(
                height: placement.imageHeight, width: placement.imageWidth
            ).values()
        }

        /// The sum of pixels, each by the share of it inside the box.
        func sum(in box: BoundingBox) -> Double {
            func share(_ pixel: Int, _ start: Double, _ length: Double) -> Double {
                max(0, min(Double(pixel + 1), start + length) - max(Double(pixel), start))
            }
            var sum = 0.0
            for y in 0..<placement.imageHeight {
                for x in 0..<placement.imageWidth {
                    sum +=
                        pixels[y * placement.imageWidth + x] * share(x, box.x, box.width)
                        * share(y, box.y, box.height)
                }
            }
            return sum
        }
    }

    @Test("Sums equal those of the map that libtorch resizes, pixel by pixel")
    func sums() throws {
        var random = SplitMix64(seed: 3)
        for _ in 0..<60 {
            let sample = Sample(&random)
            let heat = BoxHeat(sample.placement)
            for _ in 0..<20 {
                func number(_ range: ClosedRange<Double>) -> Double {
                    Double.random(in: range, using: &random)
                }
                var numbers = [
                    number(-20...70), number(-20...70), number(0.01...80), number(1...80),
                ]
                if Bool.random(using: &random) { numbers = numbers.map { $0.rounded(.up) } }
                let box = try Self.box(numbers[0], numbers[1], numbers[2], numbers[3])
                let expected = sample.sum(in: box)
                #expect(
                    abs(heat.heat(of: sample.map, in: box) - expected)
                        < 1e-4 + 1e-5 * abs(expected))
            }
        }
    }

    @Test("Sums of boxes on whole pixels equal PyTorch's")
    func parity() throws {
        let golden = try GoldenSet("albef-grounding")
        let map: [Float] = try golden.input("box/map").values()
        let numbers: [Double] = try golden.input("box/boxes").to(.float64).values()
        let heat = BoxHeat(
            HeatPlacement(mapWidth: 6, mapHeight: 4, imageWidth: 53, imageHeight: 37))
        let sums = try stride(from: 0, to: numbers.count, by: 4).map {
            Float(
                heat.heat(
                    of: map,
                    in: try Self.box(
                        numbers[$0], numbers[$0 + 1], numbers[$0 + 2], numbers[$0 + 3])))
        }
        try golden.expect(Tensor(sums), equals: "box/sums")
    }

    @Test("The best box has the most heat for its size, and the first of equal ones")
    func choice() throws {
        // One hot patch, from 12 to 18 in both directions.
        var map = [Float](repeating: 0, count: 25)
        map[2 * 5 + 2] = 1
        let heat = BoxHeat(
            HeatPlacement(mapWidth: 5, mapHeight: 5, imageWidth: 30, imageHeight: 30))
        let (all, around) = (try Self.box(0, 0, 30, 30), try Self.box(10, 10, 10, 10))
        let (half, far) = (try Self.box(10, 10, 5, 10), try Self.box(0, 0, 6, 6))
        let found = try #require(heat.choice(of: [far, all, half, around, around], by: map))
        #expect(found.index == 3)
        #expect(abs(found.score - heat.heat(of: map, in: around) / 10) < 1e-12)
        // The area of a box counts as a whole, also beyond the image.
        let wide = try Self.box(10, 10, 1000, 10)
        #expect(heat.heat(of: map, in: wide) < heat.heat(of: map, in: around) + 1e-9)
        #expect(heat.choice(of: [wide, around], by: map)?.index == 1)
    }

    @Test("No box is chosen without heat, or where interpolation overshoots below 0")
    func noScore() throws {
        let placement = HeatPlacement(
            mapWidth: 8, mapHeight: 8, imageWidth: 80, imageHeight: 80)
        let heat = BoxHeat(placement)
        let box = try Self.box(3, 4, 20, 20)
        #expect(heat.choice(of: [box], by: [Float](repeating: 0, count: 64)) == nil)
        var map = [Float](repeating: 0, count: 64)
        map[7 * 8 + 7] = 1
        #expect(heat.heat(of: map, in: box) == 0 && heat.choice(of: [box], by: map) == nil)
        let beside = try Self.box(55, 70, 10, 10)
        #expect(heat.heat(of: map, in: beside) < 0 && heat.choice(of: [beside], by: map) == nil)
        #expect(heat.choice(of: [], by: map) == nil)
        let outside = try Self.box(80, 80, 5, 5)
        #expect(heat.heat(of: map, in: outside) == 0)
    }

    @Test("A model that crops sees the middle square")
    func crop() throws {
        let map: [Float] = [1, 0, 0, 0]
        let placement = HeatPlacement(
            mapWidth: 2, mapHeight: 2, imageWidth: 50, imageHeight: 20, fit: .crop)
        #expect((placement.left, placement.top) == (15, 0))
        #expect((placement.width, placement.height) == (20, 20) && !placement.coversImage)
        let cropped = BoxHeat(placement)
        let square = BoxHeat(
            HeatPlacement(mapWidth: 2, mapHeight: 2, imageWidth: 20, imageHeight: 20))
        #expect(
            abs(
                cropped.heat(of: map, in: try Self.box(18, 2, 9, 9.5))
                    - square.heat(of: map, in: try Self.box(3, 2, 9, 9.5))) < 1e-9)
        #expect(cropped.heat(of: map, in: try Self.box(0, 0, 15, 20)) == 0)
        let peak = try #require(HeatPeak(of: map, placement))
        #expect(peak.x > 15 && peak.x < 25 && peak.y < 10)
    }
}

@Suite("The peak of a heat map")
struct HeatPeakTests {
    private static let placement = HeatPlacement(
        mapWidth: 6, mapHeight: 4, imageWidth: 120, imageHeight: 40)

    @Test("The peak is in the hottest patch, and the box around it where the heat halves")
    func peak() throws {
        var map = [Float](repeating: 0.1, count: 24)
        map[1 * 6 + 4] = 2
        // Less than half as hot, so that the box leaves it out; and hot, but apart.
        map[1 * 6 + 3] = 0.4
        map[2 * 6 + 1] = 1.8
        let found = try #require(HeatPeak(of: map, Self.placement))
        #expect(abs(found.x - 90) < 2 && abs(found.y - 15) < 1)
        #expect(found.box.x > 75 && found.box.x < 85)
        #expect(found.box.x + found.box.width > 95 && found.box.x + found.box.width < 105)
        #expect(found.box.y > 7 && found.box.y + found.box.height < 23)
        #expect(found.box.isInside(width: 120, height: 40))
    }

    @Test("An even map is found as a whole, an empty or damaged one not at all")
    func edges() throws {
        let even = try #require(HeatPeak(of: [Float](repeating: 3, count: 24), Self.placement))
        #expect(even.box == BoundingBox(x: 0, y: 0, width: 120, height: 40))
        #expect(HeatPeak(of: [Float](repeating: 0, count: 24), Self.placement) == nil)
        #expect(HeatPeak(of: [Float](repeating: .nan, count: 24), Self.placement) == nil)
        #expect(HeatPeak(of: [Float](repeating: .infinity, count: 24), Self.placement) == nil)
    }
}
