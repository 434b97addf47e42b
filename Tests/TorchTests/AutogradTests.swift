import OrderedCollections
import Testing
import Torch

@Suite("Gradients, generators and optimizers")
struct AutogradTests {
    @Test func backwardReachesTheLeaves() throws {
        let x = Tensor([1, 2, 3] as [Float]).requiringGrad()
        try (x * x).sum().backward()
        #expect(try #require(x.grad).values(as: Float.self) == [2, 4, 6])
    }

    @Test func gradientsOfInputs() throws {
        let x = Tensor([2] as [Float]).requiringGrad()
        let unused = Tensor([1] as [Float]).requiringGrad()
        let gradients = try (x * x * x).gradients(withRespectTo: [x, unused])
        #expect(gradients[0]?.scalar() == 12)
        #expect(gradients[1] == nil)
    }

    @Test func withoutGradientsRecordsNothing() throws {
        let x = Tensor([1] as [Float]).requiringGrad()
        let y = withoutGradients { x * 2 }
        #expect(!y.requiresGrad)
        #expect((x * 2).requiresGrad)
        #expect(throws: TorchError.self) { try y.backward() }
    }

    @Test func assigningIntoALeafKeepsTheLeaf() throws {
        let leaf = Tensor([1, 2] as [Float]).requiringGrad()
        var changed = leaf
        changed[0] = Tensor([9] as [Float], shape: [])
        #expect(leaf.values(as: Float.self) == [1, 2])
        #expect(changed.values(as: Float.self) == [9, 2])
    }

    @Test func seedsDetermineTheNumbers() throws {
        // The numbers of PyTorch for this seed.
        let generator = try Generator(seed: 7)
        let first = Tensor.uniform([3], generator: generator)
        let expected: [Float] = [0.5349, 0.1988, 0.6592]
        #expect(first.isClose(to: Tensor(expected), absolute: 1e-4))
        let state = try generator.state()
        let next = Tensor.normal([4], generator: generator)
        try generator.restore(state)
        let again = Tensor.normal([4], generator: generator)
        #expect(next.values(as: Float.self) == again.values(as: Float.self))
    }

    @Test func adamWAgreesWithPyTorch() throws {
        let w = Parameter(name: "w", value: Tensor([1, -2, 3, 0.5] as [Float]))
        let b = Parameter(name: "b", value: Tensor([0.1, 0.2] as [Float]))
        let optimizer = AdamW(
            [.init([w], weightDecay: 0.1), .init([b], weightDecay: 0)], learningRate: 0.01)
        for _ in 0..<3 {
            optimizer.clearGradients()
            let scale = Tensor([1, 2, 3, 4] as [Float])
            let error = (w.value * scale).sum() - 1
            try (error * error + (b.value * b.value * b.value).sum()).backward()
            try optimizer.step()
        }
        let expectedW = Tensor([0.967049122, -2.02396011, 2.96105504, 0.468547553] as [Float])
        let expectedB = Tensor([0.070415385, 0.170148775] as [Float])
        #expect(w.value.isClose(to: expectedW, absolute: 1e-6))
        #expect(b.value.isClose(to: expectedB, absolute: 1e-6))
    }

    @Test func layersRequestParametersByName() throws {
        let scope = ParameterScope(source: RandomParameters(generator: try Generator(seed: 1)))
        let linear = try Linear(scope, "head", inputs: 3, outputs: 2)
        _ = try LayerNorm(scope, "norm", width: 3, epsilon: 1e-6)
        #expect(
            Set(scope.parameters.keys) == ["head.weight", "head.bias", "norm.weight", "norm.bias"])
        #expect(linear(Tensor.zeros([5, 3])).shape == [5, 2])
    }
}
