import Storage

/// A line chart over steps.
///
/// The lines are an SVG that stretches with the chart; the text is HTML beside it and keeps its
/// size.
struct LineChart {
    /// The style of a line.
    enum Style: String {
        /// The measured values, behind their smoothed line.
        case faint
        case solid
        case dashed
        /// A few values, each with a marker.
        case marked
        /// A few values, each with a marker, on a dashed line.
        case markedDashed
    }

    struct Line {
        let series: Series
        let style: Style
        /// The number of the colour in the palette, from 1.
        let colour: Int
        /// The label at the end of the line.
        var endLabel: String?
    }

    struct LegendEntry {
        let label: String
        let style: Style
        let colour: Int
    }

    let title: String
    var unit = ""
    /// The last value, shown beside the title.
    var last: String?
    var lines: [Line]
    var legend: [LegendEntry] = []
    var axis: Axis
    /// The first and the last step to show.
    let steps: [Double]
    var isLarge = false

    /// The size of the SVG's coordinate system, which the browser stretches.
    private static let width = 1000.0
    private static let height = 300.0
    /// The number of sections that a curve of many points is reduced to.
    private static let buckets = 300

    func html() -> String {
        let steps = Axis.steps(steps)
        let gutter = 12 + 7 * (axis.ticks.map(\.label.count).max() ?? 1)
        let hasEnds = lines.contains { $0.endLabel != nil }
        var unit = self.unit
        if axis.exponent != 0 {
            unit = "×10<sup>\(axis.exponent < 0 ? "−" : "")\(axis.exponent.magnitude)</sup> " + unit
        }
        var html = "<figure class=\"chart\(isLarge ? " large" : "")\">\n<figcaption><b>\(title)</b>"
        if !unit.isEmpty { html += "<span class=\"unit\">\(unit)</span>" }
        if let last { html += "<span class=\"last\">\(last)</span>" }
        html += "</figcaption>\n"
        if !legend.isEmpty { html += legendHTML() }
        html += "<div class=\"plot\" style=\"margin-left:\(gutter)px"
        html += hasEnds ? ";margin-right:42px" : ""
        html += "\">\n" + svg(steps)
        for tick in axis.ticks {
            html += "<span class=\"y\" style=\"top:\(Markup.percent(1 - tick.position))\">"
            html += "\(tick.label)</span>"
        }
        for tick in steps.ticks {
            html += "<span class=\"x\" style=\"left:\(Markup.percent(tick.position))\">"
            html += "\(tick.label)</span>"
        }
        html += endLabels() + "<span class=\"axis\">step</span>\n</div></figure>\n"
        return html
    }

    private func legendHTML() -> String {
        let entries = legend.map { entry in
            let dashed = entry.style == .dashed || entry.style == .markedDashed
            return "<span><svg width=\"22\" height=\"8\" aria-hidden=\"true\"><path d=\"M1 4h20\" "
                + "class=\"\(dashed ? "dashed" : entry.style.rawValue) c\(entry.colour)\"/></svg>"
                + "\(entry.label)</span>"
        }
        return "<div class=\"legend\">\(entries.joined())</div>\n"
    }

    private func svg(_ steps: Axis) -> String {
        var svg = "<svg viewBox=\"0 0 1000 300\" preserveAspectRatio=\"none\" role=\"img\" "
        svg += "aria-label=\"\(title) over steps\">\n<path class=\"grid\" d=\""
        for tick in axis.ticks where axis.position(axis.lower) != tick.position {
            svg += "M0 \(Markup.tenths((1 - tick.position) * Self.height))H1000"
        }
        svg += "\"/><path class=\"base\" d=\"M0 300H1000"
        for tick in steps.ticks { svg += "M\(Markup.tenths(tick.position * Self.width)) 300v4" }
        svg += "\"/>\n"
        for line in lines { svg += path(line, steps) }
        return svg + "</svg>\n"
    }

    private func path(_ line: Line, _ steps: Axis) -> String {
        let isMarked = line.style == .marked || line.style == .markedDashed
        let places = line.series.reduced(to: Self.buckets).runs.map { run in
            run.compactMap { point -> (x: String, y: String, value: Double, step: Double)? in
                if axis.scale == .logarithmic, point.y <= 0 { return nil }
                return (
                    Markup.tenths(steps.position(point.x) * Self.width),
                    Markup.tenths((1 - axis.position(point.y)) * Self.height), point.y, point.x
                )
            }
        }
        let data = places.map { run in
            // The round cap turns a line of almost no length into a dot.
            run.count == 1
                ? "M\(run[0].x) \(run[0].y)h.01"
                : run.enumerated().map { "\($0 == 0 ? "M" : "L")\($1.x) \($1.y)" }.joined()
        }
        let style = line.style == .markedDashed ? "dashed" : line.style.rawValue
        let alone = line.series.points.count == 1 && !isMarked ? " alone" : ""
        var svg = "<path class=\"\(style) c\(line.colour)\(alone)\" d=\"\(data.joined())\"/>\n"
        if isMarked {
            for place in places.joined() {
                svg += "<path class=\"dot c\(line.colour)\" d=\"M\(place.x) \(place.y)h.01\">"
                svg += "<title>step \(NumberText.fixed(place.step, 0)): "
                svg += "\(NumberText.fixed(place.value, 1))</title>"
                svg += "</path>\n"
            }
        }
        return svg
    }

    /// Returns the labels at the ends of the lines, moved apart if they would overlap.
    private func endLabels() -> String {
        var labels = lines.compactMap { line -> (text: String, top: Double)? in
            guard let text = line.endLabel, let last = line.series.points.last, last.y.isFinite
            else { return nil }
            return (text, 1 - axis.position(last.y))
        }
        labels.sort { $0.top < $1.top }
        let distance = 0.07
        for index in labels.indices.dropFirst() {
            labels[index].top = max(labels[index].top, labels[index - 1].top + distance)
        }
        return labels.map { label in
            "<span class=\"end\" style=\"top:\(Markup.percent(label.top))\">\(label.text)</span>"
        }.joined()
    }
}
