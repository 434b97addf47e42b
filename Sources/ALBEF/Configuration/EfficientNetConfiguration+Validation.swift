extension EfficientNetConfiguration {
    /// Checks that every number is one that a trunk can have, and that the sizes fit each other.
    ///
    /// The limits are far beyond any trunk; below them no product of sizes overflows.
    ///
    /// - Parameter path: what stands before the names of fields in errors.
    /// - Throws: ``ALBEFError`` that names the first field that does not fit.
    public func validate(_ path: String = "vision") throws(ALBEFError) {
        if case .custom(let architecture) = form {
            try architecture.validate("\(path).architecture")
        }
        try check("\(path).image_size", imageSize, 1...16_384)
        guard mean.count == 3, standardDeviation.count == 3 else {
            throw .configuration("\(path).mean", "and standard_deviation need three channels each")
        }
        // Not-a-number is in no range.
        for mean in mean where !(-10...10).contains(mean) {
            throw .configuration("\(path).mean", "must be from -10 to 10, not \(mean)")
        }
        for deviation in standardDeviation where !(1e-4...100).contains(deviation) {
            throw .configuration(
                "\(path).standard_deviation", "must be from 0.0001 to 100, not \(deviation)")
        }
        guard poolingGrids.count <= 16 else {
            throw .configuration("\(path).pooling_grids", "has more than 16 grids")
        }
        for grid in poolingGrids where !(1...featureSide).contains(grid) {
            throw .configuration(
                "\(path).pooling_grids",
                "\(grid) is not within 1...\(featureSide), the side of the feature map")
        }
        try check("\(path).frozen_stages", frozenStages, 0...architecture.stages.count)
    }
}

extension EfficientNetArchitecture {
    fileprivate func validate(_ path: String) throws(ALBEFError) {
        try check("\(path).stem_width", stemWidth, 1...65_536)
        try check("\(path).head_width", headWidth, 1...65_536)
        guard (1...32).contains(stages.count) else {
            throw .configuration("\(path).stages", "must be from 1 to 32, not \(stages.count)")
        }
        for (index, stage) in stages.enumerated() {
            let name = "\(path).stages[\(index)]"
            try check("\(name).kernel", stage.kernel, 1...31)
            guard stage.kernel % 2 == 1 else {
                throw .configuration("\(name).kernel", "must be odd, not \(stage.kernel)")
            }
            try check("\(name).stride", stage.stride, 1...2)
            try check("\(name).expansion", stage.expansion, 1...64)
            try check("\(name).width", stage.width, 1...65_536)
            try check("\(name).depth", stage.depth, 1...1000)
        }
    }
}

private func check(
    _ name: String, _ value: Int, _ range: ClosedRange<Int>
) throws(ALBEFError) {
    guard range.contains(value) else {
        throw .configuration(
            name, "must be from \(range.lowerBound) to \(range.upperBound), not \(value)")
    }
}
