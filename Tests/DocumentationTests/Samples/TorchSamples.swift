import Testing
import Torch

@Suite("Samples of Torch")
struct TorchSamples: SampleSuite {
    let printed = Printed()

    @Test func tensors() {
        // sample: compute-with-tensors
        let queries = Tensor([1, 0, 0, 1] as [Float], shape: [2, 2])
        let images = Tensor([3, 4, 1, 0] as [Float], shape: [2, 2]).normalized()
        let similarities = queries.matmul(images.transposed())
        print(similarities.shape, similarities.values(as: Float.self))
        // end
        #expect(printed.lines == ["[2, 2] [0.6, 1.0, 0.8, 0.0]"])
    }

    @Test func training() throws {
        // sample: fit-a-line
        let inputs = Tensor([0, 1, 2, 3] as [Float], shape: [4, 1])
        let targets = inputs * 2 + 1

        let generator = try Generator(seed: 1)
        let scope = ParameterScope(source: RandomParameters(generator: generator))
        let line = try Linear(scope, "line", inputs: 1, outputs: 1)
        let optimizer = AdamW(
            [AdamW.Group([line.weight, line.bias], weightDecay: 0)], learningRate: 0.1)

        for _ in 0..<200 {
            optimizer.clearGradients()
            let errors = line(inputs) - targets
            try (errors * errors).mean().backward()
            try optimizer.step()
        }
        print(line.weight.value.scalar(), line.bias.value.scalar())
        // end
        let found = try #require(printed.lines.first).split(separator: " ").compactMap {
            Double($0)
        }
        #expect(zip(found, [2, 1]).allSatisfy { abs($0 - $1) < 0.1 })
    }

    @Test func recovery() throws {
        // sample: survive-missing-memory
        do {
            _ = try recovering { Tensor.zeros([1 << 46]) }
        } catch let error as TorchError where error.isOutOfMemory {
            print("too large for this machine: \(error)")
        }
        // end
        #expect(printed.lines.first?.contains("281474976710656 bytes") == true)
    }
}
