import Testing
import Torch

@Suite("Tensor")
struct TensorTests {
    @Test func holdsItsElementsInRowMajorOrder() {
        let x = Tensor([1, 2, 3, 4, 5, 6] as [Float], shape: [2, 3])
        #expect(x.shape == [2, 3])
        #expect(x.strides == [3, 1])
        #expect(x.dtype == .float32)
        #expect(x.transposed().values(as: Float.self) == [1, 4, 2, 5, 3, 6])
        #expect(x.to(.int64).values(as: Int.self) == [1, 2, 3, 4, 5, 6])
    }

    @Test func emptyAndScalarShapes() {
        #expect(Tensor([] as [Float], shape: [0, 4]).values(as: Float.self).isEmpty)
        #expect(Tensor([7] as [Int], shape: []).scalar() == 7)
        #expect(Tensor([] as [Float], shape: [0, 4]).count == 0)
    }

    @Test func indexes() {
        let x = Tensor(Array(0..<24).map(Float.init), shape: [2, 3, 4])
        #expect(x[1].shape == [3, 4])
        #expect(x[-1, 0].values(as: Float.self) == [12, 13, 14, 15])
        #expect(x[.all, 1..., ..<2].values(as: Float.self) == [4, 5, 8, 9, 16, 17, 20, 21])
        #expect(x[0...0, .new].shape == [1, 1, 3, 4])
        #expect(
            x[.all, Tensor([2, 0] as [Int])][0].values(as: Float.self)
                == [8, 9, 10, 11, 0, 1, 2, 3])
    }

    @Test func assigningChangesOnlyOneTensor() {
        var x = Tensor.zeros([2, 2])
        let copy = x
        let view = x[0]
        x[0] = Tensor([1, 2] as [Float])
        #expect(copy.values(as: Float.self) == [0, 0, 0, 0])
        #expect(view.values(as: Float.self) == [0, 0])
        #expect(x.values(as: Float.self) == [1, 2, 0, 0])
        // No other tensor shares the memory now, so it may change in place.
        x[.all, 1] = Tensor([5, 6] as [Float])
        #expect(x.values(as: Float.self) == [1, 5, 0, 6])
    }

    @Test func assignsThroughATensorOfIndices() {
        var x = Tensor.zeros([2, 3])
        let copy = x
        x[.all, Tensor([2, 0])] = Tensor([1, 2, 3, 4] as [Float], shape: [2, 2])
        #expect(x.values(as: Float.self) == [2, 0, 1, 4, 0, 3])
        x[1, Tensor([1])] = Tensor([9] as [Float])
        #expect(x.values(as: Float.self) == [2, 0, 1, 4, 9, 3])
        x[Tensor([0])] = Tensor([7] as [Float], shape: [])
        #expect(x.values(as: Float.self) == [7, 7, 7, 4, 9, 3])
        #expect(copy.sum().scalar() == 0)
    }

    @Test func assignsThroughTwoTensorsOfIndices() {
        var x = Tensor.zeros([3, 4])
        let copy = x
        x[Tensor([2, 0]), Tensor([1, 3])] = Tensor([1, 2, 3, 4] as [Float], shape: [2, 2])
        #expect(x.values(as: Float.self) == [0, 3, 0, 4, 0, 0, 0, 0, 0, 1, 0, 2])
        #expect(x[Tensor([2, 0]), Tensor([1, 3])].values(as: Float.self) == [1, 2, 3, 4])
        #expect(copy.sum().scalar() == 0)
        var y = Tensor.zeros([2, 3, 2])
        y[Tensor([1]), 1..., Tensor([0, 1])] = Tensor([5, 6, 7, 8] as [Float], shape: [1, 2, 2])
        #expect(y.values(as: Float.self) == [0, 0, 0, 0, 0, 0, 0, 0, 5, 6, 7, 8])
        y[Tensor([0, 1]), 0, Tensor([1])] = Tensor([9] as [Float], shape: [])
        #expect(y.values(as: Float.self) == [0, 9, 0, 0, 0, 0, 0, 9, 5, 6, 7, 8])
    }

    @Test func paddingRowsReceiveNoGradient() throws {
        let table = Tensor.ones([3, 2]).requiringGrad()
        try table.embedded(Tensor([0, 1, 0, 1, 2]), padding: 0).sum().backward()
        #expect(table.grad?.values(as: Float.self) == [0, 0, 2, 2, 1, 1])
        #expect(table.embedded(Tensor([0]), padding: 0).values(as: Float.self) == [1, 1])
    }

    @Test func outlivesTheArrayItWasMadeFrom() {
        func make() -> Tensor { Tensor([Float](repeating: 3, count: 100_000), shape: [100, 1000]) }
        let tensors = (0..<50).map { _ in make().transposed() }
        #expect(tensors.allSatisfy { $0.sum().scalar() == 300_000 })
    }

    @Test func errorsNameTheOperatorAndTheShapes() throws {
        let matmul = try Operator("aten::matmul")
        let error = #expect(throws: TorchError.self) {
            try matmul.call([.tensor(.zeros([2, 3])), .tensor(.zeros([4, 5]))])
        }
        let text = try #require(error?.description)
        #expect(text.contains("aten::matmul"))
        #expect(text.contains("[2, 3] Float"))
        #expect(text.contains("[4, 5] Float"))
        #expect(!text.contains("Exception raised from"))
    }

    @Test func unknownOperatorsAreErrors() throws {
        let error = #expect(throws: TorchError.self) { try Operator("aten::no_such_operator") }
        #expect(try #require(error?.description).contains("no_such_operator"))
    }

    @Test func devicesAreOptional() throws {
        #expect(Device.cpu.isAvailable)
        #expect(try Device(named: "cpu") == .cpu)
        #expect(try Device(named: "auto").isAvailable)
        let unknown = #expect(throws: TorchError.self) { try Device(named: "tpu") }
        #expect(try #require(unknown?.description).contains("'tpu'"))
        let absent = #expect(throws: TorchError.self) { try Device(named: "cuda:99") }
        #expect(try #require(absent?.description).contains("cuda:99"))
    }

    @Test func manyThreadsShareTensors() async {
        let shared = Tensor.ones([64, 64])
        await withTaskGroup(of: Double.self) { group in
            for _ in 0..<64 {
                group.addTask { (shared.matmul(shared)[0..<8] + 1).sum().scalar() }
            }
            for await sum in group { #expect(sum == 8 * 64 * 65) }
        }
    }

    @Test("Memory is freed once if filling it fails")
    func failedFilling() {
        struct Failure: Error {}
        for _ in 0..<100 {
            #expect(throws: Failure.self) {
                try Tensor(shape: [64]) { _ in throw Failure() }
            }
            #expect(throws: Failure.self) {
                try Tensor(shape: [3, 5], dtype: .float16) { _ in throw Failure() }
            }
        }
    }
}
