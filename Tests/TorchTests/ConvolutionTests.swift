import Testing
import Torch

@Suite("Convolutions")
struct ConvolutionTests {
    private let generator: Generator

    init() throws { generator = try Generator(seed: 3) }

    /// Computes the sums directly, with the padding from the definition of the rule.
    private func reference(
        _ x: Tensor, _ layer: Convolution, _ shape: Convolution.Shape, _ padding: ConvolutionPadding
    ) -> [Double] {
        let (batch, height, width) = (x.size(0), x.size(2), x.size(3))
        let pixels: [Double] = x.values()
        let weights: [Double] = layer.weight.value.values()
        let biases: [Double] = layer.bias.value.values()
        let (kernel, stride) = (shape.kernel, shape.stride)
        func start(_ size: Int) -> Int {
            guard padding == .same else { return -(kernel - 1) / 2 }
            let outputs = Int((Double(size) / Double(stride)).rounded(.up))
            return -(max(0, (outputs - 1) * stride + kernel - size) / 2)
        }
        func outputs(_ size: Int) -> Int { Int((Double(size) / Double(stride)).rounded(.up)) }
        var sums: [Double] = []
        for image in 0..<batch {
            for output in 0..<shape.outputs {
                for row in 0..<outputs(height) {
                    for column in 0..<outputs(width) {
                        var sum = biases[output]
                        let inputs = shape.isDepthwise ? output..<output + 1 : 0..<shape.inputs
                        for (place, input) in inputs.enumerated() {
                            for i in 0..<kernel {
                                for j in 0..<kernel {
                                    let y = row * stride + start(height) + i
                                    let z = column * stride + start(width) + j
                                    guard 0..<height ~= y, 0..<width ~= z else { continue }
                                    let pixel =
                                        ((image * shape.inputs + input) * height + y) * width + z
                                    let weight =
                                        ((output * inputs.count + place) * kernel + i) * kernel + j
                                    sum += pixels[pixel] * weights[weight]
                                }
                            }
                        }
                        sums.append(sum)
                    }
                }
            }
        }
        return sums
    }

    @Test(
        "Both padding rules give the sums written out",
        arguments: ConvolutionPadding.allCases, [(1, 1), (1, 2), (3, 1), (3, 2), (5, 1), (5, 2)])
    func sums(_ padding: ConvolutionPadding, _ window: (kernel: Int, stride: Int)) throws {
        for isDepthwise in [false, true] {
            let shape = Convolution.Shape(
                inputs: 4, outputs: isDepthwise ? 4 : 3, kernel: window.kernel,
                stride: window.stride, isDepthwise: isDepthwise)
            let scope = ParameterScope(source: RandomParameters(generator: generator))
            let layer = try Convolution(scope, "c", shape, padding: padding)
            layer.bias.value = Tensor.normal([shape.outputs], generator: generator)
            // Even, odd and unequal sides, and a side smaller than the kernel.
            for (height, width) in [(8, 8), (7, 7), (8, 7), (3, 10), (1, 1)] {
                let x = Tensor.normal([2, 4, height, width], generator: generator)
                let expected = Tensor(
                    reference(x, layer, shape, padding),
                    shape: [
                        2, shape.outputs, (height + window.stride - 1) / window.stride,
                        (width + window.stride - 1) / window.stride,
                    ]
                ).to(.float32)
                for input in [x, x.channelsLast()] {
                    let found = layer(input)
                    #expect(found.shape == expected.shape)
                    #expect(found.isClose(to: expected, relative: 1e-5, absolute: 1e-5))
                }
            }
        }
    }

    /// The same layer in a model that may be trained and in one that is only used.
    private func layers(
        _ shape: Convolution.Shape, _ padding: ConvolutionPadding, _ type: ComputeType
    ) throws -> (plain: Convolution, packed: Convolution) {
        let plain = try Convolution(
            ParameterScope(source: RandomParameters(generator: generator)), "c", shape,
            padding: padding)
        plain.bias.value = Tensor.normal([shape.outputs], generator: generator)
        let scope = ParameterScope(
            source: RandomParameters(generator: generator), computeType: type)
        let packed = try Convolution(scope, "c", shape, padding: padding)
        (packed.weight.value, packed.bias.value) = (plain.weight.value, plain.bias.value)
        return (plain, packed)
    }

    @Test(
        "Packed kernels and endings give the sums of plain ones",
        arguments: ConvolutionPadding.allCases, [(1, 1), (3, 1), (3, 2), (5, 2)])
    func packed(_ padding: ConvolutionPadding, _ window: (kernel: Int, stride: Int)) throws {
        for isDepthwise in [false, true] {
            let shape = Convolution.Shape(
                inputs: 16, outputs: 16, kernel: window.kernel, stride: window.stride,
                isDepthwise: isDepthwise)
            let (plain, packed) = try layers(shape, padding, .float32)
            // The sizes alternate, so kernels are packed again; the last input is a batch.
            for (count, height, width) in [(1, 8, 8), (1, 7, 10), (1, 8, 8), (2, 8, 8)] {
                let x = Tensor.normal([count, 16, height, width], generator: generator)
                    .channelsLast()
                let other = Tensor.normal(plain(x).shape, generator: generator).channelsLast()
                for ending in [ConvolutionEnding.none, .relu6, .silu, .adding(other)] {
                    #expect(
                        packed(x, ending).isClose(
                            to: plain(x, ending), relative: 1e-5, absolute: 1e-5))
                }
            }
        }
    }

    @Test("A convolution in bfloat16 rounds its factors and its result")
    func shortConvolution() throws {
        let shape = Convolution.Shape(inputs: 16, outputs: 24, kernel: 3)
        let (plain, packed) = try layers(shape, .symmetric, .bfloat16)
        for parameter in [plain.weight, plain.bias] {
            parameter.value = parameter.value.to(.bfloat16).to(.float32)
        }
        for count in [1, 2] {
            let x = Tensor.normal([count, 16, 9, 9], generator: generator).channelsLast()
            let found = packed(x, .relu6)
            #expect(found.dtype == .bfloat16)
            let expected = plain(x.to(.bfloat16).to(.float32), .relu6)
            #expect(found.to(.float32).isClose(to: expected, relative: 0.01, absolute: 0.02))
        }
        // An input that records gradients is convolved in single precision.
        let x = Tensor.normal([1, 16, 9, 9], generator: generator).requiringGrad()
        let exact = packed(x, .silu)
        #expect(exact.dtype == .float32)
        try exact.sum().backward()
        #expect(x.grad?.shape == x.shape)
    }

    @Test("After a recovered failure, packed convolutions have shapes, and later values")
    func packedAfterFailure() throws {
        let shape = Convolution.Shape(
            inputs: 16, outputs: 16, kernel: 3, stride: 2, isDepthwise: true)
        let (plain, packed) = try layers(shape, .same, .float32)
        let x = Tensor.normal([1, 16, 8, 8], generator: generator).channelsLast()
        #expect(throws: TorchError.self) {
            try recovering(failingAtOperator: 0) {
                let made = packed(x, .relu6)
                #expect(made.shape == [1, 16, 4, 4])
                #expect(packed(x, .adding(made)).shape == [1, 16, 4, 4])
            }
        }
        #expect(packed(x, .relu6).isClose(to: plain(x, .relu6), relative: 1e-5, absolute: 1e-5))
    }

    @Test("The two rules differ only at even strides and sizes")
    func difference() throws {
        for (kernel, stride, size, differs) in [
            (3, 2, 8, true), (5, 2, 8, true), (3, 2, 7, false), (3, 1, 8, false), (1, 2, 8, false),
        ] {
            let shape = Convolution.Shape(inputs: 2, outputs: 2, kernel: kernel, stride: stride)
            let scope = ParameterScope(source: RandomParameters(generator: generator))
            let same = try Convolution(scope, "c", shape, padding: .same)
            let symmetric = try Convolution(scope, "c", shape, padding: .symmetric)
            let x = Tensor.normal([1, 2, size, size], generator: generator)
            #expect(
                same(x).isClose(to: symmetric(x), relative: 1e-5, absolute: 1e-6) != differs,
                "kernel \(kernel), stride \(stride), size \(size)")
        }
    }

    @Test("Gradients agree with finite differences", arguments: ConvolutionPadding.allCases)
    func gradients(_ padding: ConvolutionPadding) throws {
        let shape = Convolution.Shape(
            inputs: 2, outputs: 2, kernel: 3, stride: 2, isDepthwise: true)
        let scope = ParameterScope(source: RandomParameters(generator: generator))
        let layer = try Convolution(scope, "c", shape, padding: padding)
        let probe = Tensor.normal([1, 2, 3, 3], generator: generator).to(.float64)
        let pixels = Tensor.normal([1, 2, 6, 6], generator: generator).to(.float64)
        layer.bias.value = layer.bias.value.to(.float64).requiringGrad()
        let weight = layer.weight.value.to(.float64)
        func value(_ weight: Tensor, _ x: Tensor) -> Tensor {
            layer.weight.value = weight
            return (layer(x).siluInPlace() * probe).sum()
        }
        let (leaf, x) = (weight.requiringGrad(), pixels.requiringGrad())
        try value(leaf, x).backward()
        #expect(layer.bias.value.grad?.shape == [2])
        for (tensor, gradient, isWeight) in [(weight, leaf.grad, true), (pixels, x.grad, false)] {
            let found: [Double] = try #require(gradient).values()
            for index in found.indices {
                var step = [Double](repeating: 0, count: found.count)
                step[index] = 1e-5
                let shift = Tensor(step, shape: tensor.shape)
                let ends = [tensor + shift, tensor - shift].map {
                    (isWeight ? value($0, pixels) : value(weight, $0)).scalar()
                }
                #expect(abs((ends[0] - ends[1]) / 2e-5 - found[index]) < 1e-8)
            }
        }
    }

    @Test("Activations in place have the values and gradients of the others")
    func activations() throws {
        let x = Tensor([-7, -1, -0.5, 0, 0.5, 1, 5.5, 6.5, 40] as [Double])
        #expect(x.relu6().values() == [0, 0, 0, 0, 0.5, 1, 5.5, 6, 6] as [Double])
        let silu: [Double] = x.silu().values()
        #expect(abs(silu[1] + 0.2689414213699951) < 1e-12)
        for (made, inPlace) in [
            ({ $0.relu6() }, { $0.relu6InPlace() }), ({ $0.silu() }, { $0.siluInPlace() }),
        ] as [((Tensor) -> Tensor, (Tensor) -> Tensor)] {
            let leaves = [x.requiringGrad(), x.requiringGrad()]
            let outputs = [made(leaves[0] * 1.5), inPlace(leaves[1] * 1.5)]
            for output in outputs { try (output * output).sum().backward() }
            #expect(outputs[0].values(as: Double.self) == outputs[1].values(as: Double.self))
            #expect(
                try #require(leaves[0].grad).isClose(
                    to: try #require(leaves[1].grad), relative: 1e-12, absolute: 1e-12))
        }
    }

    @Test("The cells of a pooling grid are means, and overlap if the grid does not divide the size")
    func pooling() {
        let x = Tensor((0..<16).map(Double.init), shape: [1, 1, 4, 4])
        #expect(x.averagePooled(rows: 1, columns: 1).values() == [7.5])
        #expect(x.averagePooled(rows: 2, columns: 2).values() == [2.5, 4.5, 10.5, 12.5])
        // Rows 0-1, 1-2 and 2-3.
        #expect(x.averagePooled(rows: 3, columns: 1).values() == [3.5, 7.5, 11.5])
    }

    @Test("After a recovered failure, convolutions return the right shapes")
    func shapesAfterFailure() throws {
        let x = Tensor.normal([2, 4, 9, 6], generator: generator)
        let weight = Tensor.normal([3, 4, 3, 5], generator: generator)
        let operations: [(Tensor) -> Tensor] = [
            { $0.convolved(weight, nil, stride: 2, padding: (1, 2)) },
            { $0.convolved(weight[.all, 0..<1][0..<2], nil, padding: (0, 2), groups: 1) },
            { $0.padded(top: 1, bottom: 2, left: 3) }, { $0.averagePooled(rows: 2, columns: 3) },
            { $0.averagePooled(rows: 1, columns: 1) }, { $0.channelsLast() }, { $0.relu6() },
            { $0.silu() }, { $0.relu6InPlace() }, { $0.siluInPlace() },
        ]
        for (index, operation) in operations.enumerated() {
            let input = index == 1 ? x[.all, 0..<1] : x
            let shape = operation(input.clone()).shape
            #expect(throws: TorchError.self) {
                // No operator runs from here on.
                try recovering(failingAtOperator: 0) {
                    _ = input + 1
                    #expect(operation(input).shape == shape, "operation \(index)")
                }
            }
        }
    }
}
