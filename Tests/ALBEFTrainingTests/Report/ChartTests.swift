import ALBEFTraining
import Foundation
import Storage
import Testing
import TrainingReport

@Suite("Charts")
struct ChartTests {
    @Test("Ticks are round and enclose the values")
    func valueAxis() {
        let axis = Axis.values([5.3, 15.9])
        #expect(axis.lower == 4 && axis.upper == 16)
        #expect(axis.ticks.map(\.label) == ["4", "6", "8", "10", "12", "14", "16"])
        #expect(axis.ticks[1].position == 1.0 / 6)
        #expect(Axis.values([3, 41], includesZero: true).ticks.first?.label == "0")
        #expect(Axis.values([12, 99.5], limit: 100).ticks.last?.label == "100")
        let small = Axis.values([0, 1e-4], includesZero: true)
        #expect(small.exponent == -4)
        #expect(small.ticks.map(\.label) == ["0", "0.2", "0.4", "0.6", "0.8", "1.0"])
        #expect(Axis.values([0.03, 0.07]).ticks.map(\.label).contains("0.04"))
        #expect(Axis.values([-20_000, 30_000]).ticks.map(\.label).contains("-10k"))
    }

    @Test(
        "An axis has an extent and encloses any values",
        arguments: [
            [], [7], [0], [-3, -3], [.nan], [.infinity, 2], [1e-12, 2e-12], [1e9, 1e9 + 1],
            [1e25], [-1e300, 1e300], [9.3e18], [9.3e18, 9.3e18],
        ] as [[Double]])
    func oddValues(_ values: [Double]) {
        for axis in [
            Axis.values(values), .values(values, includesZero: true), .steps(values),
            .logarithmic(values),
        ] {
            #expect(axis.lower < axis.upper && axis.lower.isFinite && axis.upper.isFinite)
            #expect(axis.ticks.allSatisfy { (-1e-6...1 + 1e-6).contains($0.position) })
            guard axis.scale == .linear else { continue }
            for value in values where value.isFinite {
                #expect((-1e-9...1 + 1e-9).contains(axis.position(value)))
            }
        }
    }

    @Test func stepAxis() {
        #expect(Axis.steps([1, 12_000]).ticks.map(\.label) == ["0", "5k", "10k"])
        #expect(Axis.steps([1, 640]).ticks.map(\.label) == ["0", "200", "400", "600"])
        // Ticks of steps are integers, even for a few steps.
        #expect(Axis.steps([4]).ticks.map(\.label) == ["3", "4", "5"])
        #expect(Axis.steps([1, 3]).ticks.map(\.label) == ["1", "2", "3"])
    }

    @Test func logarithmicAxis() {
        let axis = Axis.logarithmic([3, 75])
        #expect(axis.ticks.map(\.label) == ["2", "5", "10", "20", "50", "100"])
        #expect(
            Axis.logarithmic([0.02, 4000]).ticks.map(\.label) == ["0.1", "1", "10", "100", "1000"])
    }

    @Test("Smoothing keeps constants, lines without lag, and gaps")
    func smoothing() {
        func series(_ values: [Double]) -> Series {
            Series(points: values.enumerated().map { .init(x: Double($0), y: $1) })
        }
        #expect(series([2, 2, 2]).smoothed.points.allSatisfy { abs($0.y - 2) < 1e-12 })
        let line = series((0...200).map(Double.init)).smoothed
        #expect(abs(line.points[100].y - 100) < 1e-9)
        let gap = series([1, .nan, 1, .infinity, 1]).smoothed.points.map(\.y)
        #expect(gap[1].isNaN && gap[3].isNaN)
        #expect([gap[0], gap[2], gap[4]].allSatisfy { abs($0 - 1) < 1e-12 })
    }

    @Test("A curve of 100,000 points keeps its ends and its peaks")
    func reduction() {
        var points = (0..<100_000).map { Series.Point(x: Double($0), y: sin(Double($0) / 5000)) }
        points[12_345].y = 50
        points[54_321].y = -50
        for index in 80_000..<82_000 { points[index].y = .nan }
        let reduced = Series(points: points).reduced(to: 300)
        #expect(reduced.points.count <= 1200)
        #expect(reduced.points.first == points.first && reduced.points.last == points.last)
        #expect(reduced.points.contains(points[12_345]))
        #expect(reduced.points.contains(points[54_321]))
        #expect(reduced.runs.count == 2)
        #expect(reduced.points.map(\.x) == reduced.points.map(\.x).sorted())
        let few = Series(points: Array(points.prefix(1200)))
        #expect(few.reduced(to: 300) == few)
    }

    @Test func escaping() {
        #expect(
            Markup.escape("<a href='x'>&\"\u{0}") == "&lt;a href=&#39;x&#39;&gt;&amp;&quot;\u{FFFD}"
        )
        #expect(Markup.tenths(-0.04) == "0" && Markup.tenths(-12.34) == "-12.3")
        #expect(Markup.percent(0.125) == "12.5%")
        #expect(Markup.tenths(.nan) == "0")
        #expect(Markup.tenths(1e300) == "1000000" && Markup.tenths(-.infinity) == "-1000000")
    }
}
