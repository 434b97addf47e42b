import Testing
import Torch

@Suite("Products in a shorter type")
struct ComputeTypeTests {
    /// The number of significant binary digits of bfloat16 is 8.
    private static let unit = 1.0 / 256

    private func layer(_ type: ComputeType, inputs: Int = 48, outputs: Int = 40) throws -> Linear {
        let scope = ParameterScope(
            source: RandomParameters(generator: try Generator(seed: 3)), computeType: type)
        let layer = try Linear(scope, "layer", inputs: inputs, outputs: outputs)
        layer.bias.value = Tensor.normal([outputs], generator: try Generator(seed: 4))
        return layer
    }

    @Test(
        "A layer rounds its factors and its result, and nothing else",
        arguments: [1, 12, 64, 700], [LinearActivation?.none, .gelu, .tanhGELU])
    func rounding(rows: Int, _ activation: LinearActivation?) throws {
        let (exact, short) = (try layer(.float32), try layer(.bfloat16))
        let x = Tensor.normal([2, rows, 48], generator: try Generator(seed: 5))
        func rounded(_ tensor: Tensor) -> Tensor { tensor.to(.bfloat16).to(.float32) }
        let sum = rounded(x).linear(rounded(exact.weight.value), rounded(exact.bias.value))
        let expected: [Double] =
            switch activation {
            case nil: sum.flattened().values()
            case .gelu: sum.gelu().flattened().values()
            case .tanhGELU: sum.gelu(isApproximate: true).flattened().values()
            }
        let result = short(x, activation)
        #expect(result.dtype == .bfloat16 && result.shape == [2, rows, 40])
        let found: [Double] = result.to(.float32).flattened().values()
        for (value, reference) in zip(found, expected) {
            #expect(abs(value - reference) <= Self.unit * max(0.05, abs(reference)))
        }
        // In single precision the layer is unchanged, and the types differ.
        #expect(exact(x, activation).dtype == .float32)
        #expect(short.factor.dtype == .bfloat16 && exact.factor.dtype == .float32)
    }

    @Test(
        "Integers have a scale per output and one per row of the input, and lose nothing else",
        .enabled(if: ComputeType.int8.isAvailable(on: .cpu)),
        arguments: [1, 12, 700], [LinearActivation?.none, .gelu, .tanhGELU])
    func integers(rows: Int, _ activation: LinearActivation?) throws {
        let (exact, short) = (try layer(.float32), try layer(.int8))
        // Rows of very different sizes, and one of zeros, a quarter of a step above their integers.
        let sizes: [Float] = (0..<2 * rows).map { $0 == 1 ? 0 : Float($0 * $0 % 91 + 1) }
        let steps = Tensor(sizes, shape: [2, rows, 1])
        let numbers = Tensor.normal([2, rows, 47], generator: try Generator(seed: 5)) * 40
        let integers = numbers.rounded().clamped(-126, 126)
        func row(_ tensor: Tensor) -> Tensor {
            Tensor.concatenated([tensor, Tensor.full([2, rows, 1], 127)], 2) * steps
        }
        let x = row(integers + 0.25)
        let weight: [Float] = exact.weight.value.flattened().values()
        let rounded = stride(from: 0, to: weight.count, by: 48).flatMap { start in
            let row = weight[start..<start + 48]
            let step = (row.map(abs).max() ?? 0) / 127
            return row.map { ($0 * (1 / step)).rounded(.toNearestOrEven) * step }
        }
        let sum = row(integers).linear(Tensor(rounded, shape: [40, 48]), exact.bias.value)
        let expected =
            switch activation {
            case nil: sum
            case .gelu: sum.gelu()
            case .tanhGELU: sum.gelu(isApproximate: true)
            }
        let found = short(x, activation)
        #expect(found.dtype == .float32 && found.shape == [2, rows, 40])
        #expect(found.isClose(to: expected, relative: 1e-4, absolute: 5e-3))
        #expect(!found.isClose(to: exact(x, activation), relative: 1e-4, absolute: 5e-3))
        #expect(short.factor.dtype == .float32)
    }

    @Test("Fixed parameters change no product", arguments: [1, 12, 320, 321])
    func fixedProduct(rows: Int) throws {
        let scope = ParameterScope(source: RandomParameters(generator: try Generator(seed: 3)))
        let plain = try Linear(scope, "layer", inputs: 48, outputs: 40)
        let fixed = try layer(.float32)
        plain.bias.value = fixed.bias.value
        let x = Tensor.normal([rows, 48], generator: try Generator(seed: 5))
        for activation in [nil, LinearActivation.gelu, .tanhGELU] {
            #expect(
                fixed(x, activation).isClose(
                    to: plain(x, activation), relative: 1e-5, absolute: 1e-6))
        }
    }

    @Test("Joined layers give what each of them gives", arguments: [12, 400])
    func joined(rows: Int) throws {
        for type in [nil] + ComputeType.allCases {
            let scope = ParameterScope(
                source: RandomParameters(generator: try Generator(seed: 3)), computeType: type)
            let layers = try ["query", "key", "value"].map {
                try Linear(scope, $0, inputs: 48, outputs: 48)
            }
            let x = Tensor.normal([2, rows / 2, 48], generator: try Generator(seed: 5))
            let found = JoinedLinear(layers)(x)
            #expect(found.count == 3)
            for (part, layer) in zip(found, layers) {
                #expect(part.shape == [2, rows / 2, 48] && part.dtype == layer(x).dtype)
                #expect(
                    part.to(.float32).isClose(
                        to: layer(x).to(.float32), relative: 1e-2, absolute: 1e-5))
            }
        }
    }

    @Test(
        "An input that records gradients is multiplied in single precision",
        arguments: [ComputeType.bfloat16, .int8])
    func gradients(_ type: ComputeType) throws {
        let (exact, short) = (try layer(.float32), try layer(type))
        let values = Tensor.normal([3, 48], generator: try Generator(seed: 6))
        func gradient(_ layer: Linear) throws -> [Float] {
            let x = values.requiringGrad()
            try layer(x, .gelu).sum().backward()
            return try #require(x.grad).flattened().values()
        }
        #expect(try gradient(short) == gradient(exact))
    }

    @Test(
        "A layer works after memory ran out while it was first used",
        arguments: [ComputeType.bfloat16, .int8])
    func missingMemory(_ type: ComputeType) throws {
        let layer = try layer(type)
        let error = #expect(throws: TorchError.self) {
            try recovering { _ = layer(Tensor.zeros([1 << 42, 48]), .gelu) }
        }
        #expect(error?.isOutOfMemory == true)
        let x = Tensor.ones([4, 48])
        let before: [Float] = layer(x).to(.float32).flattened().values()
        #expect(before.contains { $0 != 0 })
        // The rows exist, their products do not.
        let failed = #expect(throws: TorchError.self) {
            try recovering { _ = layer(Tensor.zeros([1, 48]).expanded(1 << 40, 48), .gelu) }
        }
        #expect(failed?.isOutOfMemory == true)
        #expect(layer(x).to(.float32).flattened().values(as: Float.self) == before)
    }

    @Test("A processor without instructions for short products, and a GPU, use single precision")
    func fastest() {
        #expect(ComputeType.fastest(on: .mps) == .float32)
        #expect(ComputeType.fastest(on: .cuda()) == .float32)
        #expect(ComputeType.allCases.contains(.fastest(on: .cpu)))
        #expect(ComputeType.allCases.filter { !$0.isAvailable(on: .mps) } == [.int8])
    }
}
