import Foundation
import OrderedCollections
import Testing
import Torch

/// Returns the `TorchError` that `body` throws.
private func failure(_ body: () throws -> Void) -> TorchError? {
    do {
        try body()
    } catch {
        return error as? TorchError
    }
    return nil
}

@Suite("Failures that can be survived")
struct RecoveryTests {
    /// A size with more elements than a processor can address.
    private static let tooMany = 1 << 46

    @Test("A lack of memory is an error that names the operator and the requested size")
    func outOfMemory() throws {
        let error = #expect(throws: TorchError.self) {
            try recovering { Tensor.zeros([Self.tooMany]) }
        }
        let found = try #require(error)
        #expect(found.isOutOfMemory && !found.isDeviceFailure)
        #expect(found.description.hasPrefix("out of memory: aten::full"))
        #expect(found.description.contains("281474976710656 bytes"))
        let refused = #expect(throws: TorchError.self) {
            try Operator("aten::matmul").call([
                .tensor(.zeros([2, 3])), .tensor(.zeros([4, 5])),
            ])
        }
        #expect(refused?.isOutOfMemory == false && refused?.isDeviceFailure == false)
    }

    @Test("The result or the error of a body without a failure passes through")
    func withoutFailure() throws {
        let sum = try recovering { Tensor([1, 2, 3] as [Float]).sum().scalar() }
        #expect(sum == 6)
        #expect(throws: CancellationError.self) { try recovering { throw CancellationError() } }
        #expect(throws: TorchError.self) {
            try recovering {
                _ = Tensor.zeros([Self.tooMany])
                throw CancellationError()
            }
        }
        // The thread must work as before.
        #expect((Tensor.ones([3]) * 2).sum().scalar() == 6)
    }

    @Test("After a failure, tensors have shapes and zeros, and nothing changes")
    func afterwards() throws {
        let generator = try Generator(seed: 5)
        let state: [UInt8] = try generator.state().values()
        let parameter = Parameter(name: "w", value: Tensor([1, 2] as [Float]).requiringGrad())
        try (parameter.value * parameter.value).sum().backward()
        let optimizer = AdamW([.init([parameter], weightDecay: 0)], learningRate: 1)
        var assigned = Tensor([1, 2, 3] as [Float])
        let failed = failure {
            try recovering {
                let large = Tensor.zeros([Self.tooMany])
                #expect(large.shape == [Self.tooMany] && TorchError.isPending)
                let product = large[0..<6].reshaped(2, 3).matmul(Tensor.ones([3, 4]))
                #expect(product.shape == [2, 4] && product.values(as: Int.self).count == 8)
                #expect((Tensor.ones([2]) + 1).values(as: Float.self) == [0, 0])
                #expect(Tensor.ones([2]).withUnsafeBytes { Array($0) }.count == 8)
                _ = Tensor.uniform([4], generator: generator)
                assigned[0] = Tensor([9] as [Float], shape: [])
                withoutGradients { [parameter.value].scaleInPlace(.full([], 0)) }
                parameter.value = .zeros([2])
                optimizer.clearGradients()
                #expect(failure { try optimizer.step() } != nil)
                #expect(failure { try product.sum().backward() } != nil)
                #expect(failure { _ = try generator.state() } != nil)
                #expect(failure { _ = try recovering { 1 } } != nil)
                try TorchError.throwPending()
                Issue.record("the failure did not end the body")
            }
        }
        #expect(failed?.isOutOfMemory == true)
        #expect(try generator.state().values(as: UInt8.self) == state)
        #expect(assigned.values(as: Float.self) == [1, 2, 3])
        #expect(parameter.value.values(as: Float.self) == [1, 2])
        #expect(parameter.value.grad?.values(as: Float.self) == [2, 4])
        try optimizer.step()
        #expect(abs(parameter.value[0].scalar()) < 1e-5)
    }

    @Test("A failure belongs to the innermost scope")
    func nested() throws {
        let sum = try recovering {
            #expect(failure { _ = try recovering { Tensor.zeros([Self.tooMany]) } } != nil)
            #expect(!TorchError.isPending)
            return Tensor.ones([5]).sum().scalar()
        }
        #expect(sum == 5)
    }

    @Test("A failure does not affect other threads")
    func threads() throws {
        let failed = failure {
            try recovering {
                _ = Tensor.zeros([Self.tooMany])
                let done = DispatchSemaphore(value: 0)
                Thread.detachNewThread {
                    #expect(Tensor.ones([5]).sum().scalar() == 5 && !TorchError.isPending)
                    done.signal()
                }
                #expect(done.wait(timeout: .now() + 60) == .success)
            }
        }
        #expect(failed?.isOutOfMemory == true)
    }

    @Test("Gradients that do not fit into memory are an error")
    func backward() throws {
        let leaf = Tensor([1] as [Float]).requiringGrad()
        // The forward pass creates a view, the backward pass a tensor of zeros of its size.
        let first = leaf.expanded(Self.tooMany)[0]
        #expect(throws: TorchError.self) { try recovering { try first.backward() } }
        let error = #expect(throws: TorchError.self) { try first.backward() }
        #expect(error?.isOutOfMemory == true)
    }

    private final class Counter { var runs = 0 }

    @Test("A checkpointed part may fail in its first or its second run", arguments: [1, 2])
    func checkpoints(failingRun: Int) throws {
        let counter = Counter()
        let leaf = Tensor([3] as [Float]).requiringGrad()
        let error = failure {
            try recovering {
                let result = leaf.checkpointed { x in
                    counter.runs += 1
                    return counter.runs == failingRun ? x * Tensor.zeros([Self.tooMany]).max() : x
                }
                #expect(result.shape == [1])
                try result.sum().backward()
            }
        }
        #expect(error?.isOutOfMemory == true)
        #expect(leaf.grad == nil)
    }

    @Test("Gradients can be computed on a thread without a scope")
    func otherThread() throws {
        let counter = Counter()
        let leaf = Tensor([3] as [Float]).requiringGrad()
        let sum = leaf.checkpointed { x in
            counter.runs += 1
            return counter.runs == 2 ? x * Tensor.zeros([Self.tooMany]).max() : x
        }.sum()
        let done = DispatchSemaphore(value: 0)
        Thread.detachNewThread {
            let error = failure { try sum.backward() }
            #expect(error?.isOutOfMemory == true)
            done.signal()
        }
        #expect(done.wait(timeout: .now() + 60) == .success)
        #expect(leaf.grad == nil)
    }

    @Test("A wrong shape ends the process even inside a scope")
    func wrongShape() async {
        await #expect(processExitsWith: .failure) {
            try recovering { _ = Tensor.zeros([2, 3]).matmul(.zeros([4, 5])) }
        }
    }

    @Test("Autocast is restored after a checkpointed part has failed")
    func autocast() throws {
        let counter = Counter()
        let leaf = Tensor.ones([2, 2]).requiringGrad()
        let output = withAutocast(.bfloat16, on: .cpu) {
            leaf.checkpointed { x in
                counter.runs += 1
                let y = x.matmul(x)
                return counter.runs == 2 ? y * Tensor.zeros([Self.tooMany]).max() : y
            }
        }
        #expect(throws: TorchError.self) { try output.to(.float32).sum().backward() }
        #expect(counter.runs == 2)
        #expect(leaf.matmul(leaf).dtype == .float32)
    }

    @Test("In half precision, tensors after a failure have the right shapes")
    func halfPrecision() {
        let weight = Tensor.ones([4, 3])
        let failed = failure {
            try recovering {
                withAutocast(.bfloat16, on: .cpu) {
                    let x = Tensor.ones([2, 3]).linear(weight, nil)
                    #expect(x.dtype == .bfloat16)
                    _ = Tensor.zeros([Self.tooMany])
                    #expect(x.linear(.ones([5, 4]), .ones([5])).shape == [2, 5])
                    #expect((x.to(.bfloat16) + .ones([4])).shape == [2, 4])
                }
            }
        }
        #expect(failed?.isOutOfMemory == true)
    }

    @Test("A failed step of the optimizer changes no parameter", arguments: [false, true])
    func optimizer(hasMoved: Bool) throws {
        let parameters = ["a", "b"].map {
            Parameter(name: $0, value: Tensor([1, 2] as [Float]).requiringGrad())
        }
        let optimizer = AdamW(
            parameters.map { .init([$0], weightDecay: 0.1) }, learningRate: 0.1)
        for parameter in parameters { try (parameter.value * 3).sum().backward() }
        if hasMoved { try optimizer.step() }
        let before = parameters.map { $0.value.values(as: Float.self) }
        // A step that allocates nothing must not fail half-way, because its first operator already
        // changes parameters.
        for index in 0..<(hasMoved ? 1 : 6) {
            #expect(throws: TorchError.self) {
                try recovering(failingAtOperator: index) { try optimizer.step() }
            }
            #expect(parameters.map { $0.value.values(as: Float.self) } == before)
        }
        try optimizer.step()
        #expect(parameters.map { $0.value.values(as: Float.self) } != before)
    }
}

@Suite("Shapes without elements")
struct ShadowTests {
    /// The result of every operator for the same arguments, with the operator's name.
    private func results() throws -> [(String, [Int])] {
        let generator = try Generator(seed: 1)
        let x = Tensor(Array(0..<48).map(Float.init), shape: [2, 3, 4, 2])
        let matrix = x.reshaped(6, 8)
        let rows = Tensor([2, 0, 5])
        let mask = x.isGreater(than: 3)
        let table: [(String, Tensor)] = [
            ("arithmetic", -(x + x - x * x / (x + 1) - 2)), ("equal", x.isEqual(to: x)),
            ("equal number", x.isEqual(to: 1)), ("selecting", .selecting(x, x[0], where: mask)),
            ("filled", x.filled(with: 1, where: mask)), ("exp", x.exp().log().sqrt().tanh()),
            ("sigmoid", x.sigmoid().abs().rounded().erfinv().clamped(0, 1)),
            ("gelu", x.gelu().relu()), ("matmul", x.matmul(x.transposed())),
            ("softmax", x.softmax(1).logSoftmax(2)), ("normalized", x.normalized(1)),
            ("full", .full([2, 3], 1)), ("uniform", .uniform([2, 3], generator: generator)),
            ("normal", .normal([2, 3], generator: generator)),
            ("multinomial", (matrix + 1).multinomial(3, generator: generator)),
            ("to", x.to(.int64)), ("contiguous", x.transposed().contiguous()),
            ("clone", x.clone()), ("at", x[1, 0]), ("range", x[.all, 1..., ..<2]),
            ("gather", x[.all, Tensor([2, 0])]), ("new", x[0...0, .new]),
            ("selected", matrix.selected(0, rows)),
            (
                "gathered",
                matrix.gathered(1, Tensor([Int](repeating: 1, count: 12), shape: [6, 2]))
            ),
            ("linear", x.linear(.ones([5, 2]), .ones([5]))),
            ("layerNorm", x.layerNorm(.ones([2]), .ones([2]), epsilon: 1e-5)),
            ("embedded", matrix.embedded(Tensor([1, 2, 3, 4], shape: [2, 2]), padding: 0)),
            ("attention", .attention(x, x, x, mask: .zeros([2, 1, 1, 4]))),
            ("crossEntropy", matrix.crossEntropy(Tensor([0, 1, 2, 3, 4, 5]))),
            ("dropped", x.dropped(0.5, generator: generator)), ("sum", x.sum()),
            ("sum along", x.sum(1, 2)), ("mean", x.mean()), ("mean along", x.mean(1)),
            ("max", x.max()), ("min", x.min()), ("largest", x.largest(1)),
            ("argmax", x.argmax(1)), ("topK", x.topK(1).indices), ("reshaped", x.reshaped(-1, 6)),
            ("permuted", x.permuted(3, 0, 2, 1)), ("flattened", x.flattened(from: 1)),
            ("squeezed", x[.new].squeezed(0)), ("expanded", x[.new].expanded(4, -1, -1, -1, -1)),
            ("narrowed", x.narrowed(2, from: 1, length: 2)), ("chunk", x.unbound(1)[2]),
            ("concatenated", .concatenated([x, x], 1)), ("stacked", .stacked([x, x], 1)),
            ("bicubic", x.interpolatedBicubic(height: 5, width: 6)),
            ("totalNorm", [x, matrix].totalNorm() ?? x), ("detached", x.detached()),
        ]
        #expect(x.isClose(to: x) == !TorchError.isPending)
        return table.map { ($0, $1.shape) }
    }

    @Test("After a failure, every operator returns the shape that it returns without one")
    func shapes() throws {
        let expected = try results()
        var found: [(String, [Int])] = []
        let failed = failure {
            try recovering(failingAtOperator: 0) { found = try results() }
        }
        #expect(failed?.isOutOfMemory == true)
        #expect(found.count == expected.count)
        for (found, expected) in zip(found, expected) {
            #expect(found == expected)
        }
    }
}
