extension EfficientNetConfiguration {
    /// Checks that all numbers are in range and that the sizes are consistent.
    ///
    /// The limits exceed any practical trunk; within them no product of sizes overflows.
    ///
    /// - Parameters:
    ///   - imageSize: the side of the square input in pixels, at least 1; nil if unknown.
    ///   - path: the prefix of field names in errors; `vision.trunk` by default.
    /// - Throws: ``ALBEFError``, which names the first invalid field.
    public func validate(
        imageSize: Int? = nil, _ path: String = "vision.trunk"
    ) throws(ALBEFError) {
        if case .custom(let architecture) = form {
            try architecture.validate("\(path).architecture")
        }
        guard poolingGrids.count <= 16 else {
            throw .configuration("\(path).pooling_grids", "has more than 16 grids")
        }
        for grid in poolingGrids { try check("\(path).pooling_grids", grid, 1...16_384) }
        guard let imageSize else { return }
        let side = featureSide(imageSize: imageSize)
        for grid in poolingGrids where grid > side {
            throw .configuration(
                "\(path).pooling_grids",
                "has a grid of side \(grid), but the feature map of \(imageSize) pixels has only"
                    + " side \(side)")
        }
    }
}

extension EfficientNetArchitecture {
    fileprivate func validate(_ path: String) throws(ALBEFError) {
        try check("\(path).stem_width", stemWidth, 1...65_536)
        try check("\(path).head_width", headWidth, 1...65_536)
        guard (1...32).contains(stages.count) else {
            throw .configuration(
                "\(path).stages", "must be from 1 to 32 stages, not \(stages.count)")
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
