import SystemPackage
import TestSupport
import Testing
import Torch
import WeightFiles

@Suite("Samples of WeightFiles")
struct WeightFilesSamples: SampleSuite {
    let printed = Printed()

    @Test(arguments: ["small.pth", "small-legacy.pth", "small.safetensors"])
    func reading(_ name: String) throws {
        let path = Fixtures.path("checkpoints").appending(name)
        // sample: read-a-checkpoint
        // shown: path = "ALBEF.pth"
        let file = try TensorFile.open(path)
        let weights = file.root.dictionary?["model"] ?? file.root
        for (name, stored) in weights.dictionary?.tensors ?? NamedTensors() {
            let tensor = try Tensor(stored)
            print(name, tensor.dtype, tensor.shape)
        }
        // end
        #expect(!printed.lines.isEmpty)
    }

    @Test func writing() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let path = folder.appending("head.safetensors")
            // sample: write-safetensors
            // shown: path = "head.safetensors"
            let weight = Tensor.ones([2, 3])
            try SafetensorsWriter.write(
                [weight.entry(named: "itm_head.weight")], metadata: ["format": "pt"], to: path)

            let file = try SafetensorsFile(path)
            let read = try Tensor(file.tensor("itm_head.weight"))
            print(read.isClose(to: weight), file.metadata)
            // end
            #expect(printed.lines == ["true [\"format\": \"pt\"]"])
        }
    }

    @Test func arrays() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let output = folder.appending("features.npz")
            // sample: write-arrays
            // shown: output = "features.npz"
            let features = RowArray(
                name: "features", dtype: .float16, rowShape: [3],
                labels: [.init(name: "paths", key: "path")])
            let writer = try ArrayWriter(output, [features])
            for name in ["dog.jpg", "cat.jpg"] {
                try writer.append(Tensor.ones([1, 3]), labels: [[RowLabel(name)]])
            }
            try writer.commit()
            print(writer.rowCounts)
            // end
            #expect(printed.lines == ["[2]"])
        }
    }
}
