import Torch

/// Products of square matrices: what the processor can reach at best.
struct PeakWork {
    /// Multiplies two matrices of `side` rows and columns of the type `type`.
    func product(_ request: Request) throws -> Answer {
        let side = try request.number(.side, request.side)
        let types: [String: DType] = ["float32": .float32, "bfloat16": .bfloat16]
        let name = try request.string(.type, request.type)
        guard let type = types[name] else {
            throw MeasureError.unknown("type", name, types.keys.sorted())
        }
        let matrix = Tensor.normal([side, side], generator: try Generator(seed: 1)).to(type)
        return try Answer.timing(request) { _ = withoutGradients { matrix.matmul(matrix) } }
    }
}
