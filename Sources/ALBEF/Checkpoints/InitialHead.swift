import Torch
import WeightFiles

/// Initial values for a head that a checkpoint lacks.
enum InitialHead {
    /// Returns uniform numbers within ±1/√width, always the same for the same name.
    static func tensor(_ parameter: ParameterLayout.Parameter) -> StoredTensor {
        let count = parameter.shape.reduce(1, *)
        let bound = 1 / Float(parameter.shape.last ?? 1).squareRoot()
        // FNV-1a, so that the layers differ from each other.
        var state = parameter.name.utf8.reduce(UInt64(0xCBF2_9CE4_8422_2325)) {
            ($0 ^ UInt64($1)) &* 0x100_0000_01B3
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count * 4)
        for _ in 0..<count {
            // Knuth's MMIX generator, whose upper half is random enough for initial weights.
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let unit = Float(state >> 40) / Float(1 << 24)
            let value = (2 * unit - 1) * bound
            Swift.withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes += $0 }
        }
        return StoredTensor(dtype: .float32, shape: parameter.shape, bytes: bytes)
    }
}
