import ALBEF
import Foundation
import SystemPackage
import TestSupport
import Testing
import Torch
import WeightFiles

@Suite("Reading EfficientNet's state dictionaries")
struct EfficientNetImportTests {
    @Test("Every tensor is accounted for, once", arguments: EfficientNetFixture.names)
    func entries(_ name: String) throws {
        let fixture = try EfficientNetFixture(name)
        let loaded = try fixture.load()
        #expect(loaded.entries.compactMap(\.source).sorted() == fixture.state.names.sorted())
        let parameters = loaded.configuration.parameters()
        #expect(loaded.tensors.names == parameters.map(\.name))
        for (name, shape) in parameters {
            #expect(loaded.tensors[name]?.shape == shape, "\(name)")
        }
        let ignored = loaded.entries.filter { $0.action == .ignored }
        #expect(ignored.allSatisfy { $0.reason != nil })
        let classifier = name.hasPrefix("timm") ? "classifier" : "_fc"
        #expect(
            ignored.map(\.name).filter { !$0.hasSuffix(".num_batches_tracked") }.sorted()
                == ["\(classifier).bias", "\(classifier).weight"])
    }

    @Test("A trunk without its head leaves out the head's tensors and does not need them")
    func withoutHead() throws {
        let fixture = try EfficientNetFixture("timm-same")
        let loaded = try fixture.load { $0.includesHead = false }
        #expect(loaded.entries.compactMap(\.source).sorted() == fixture.state.names.sorted())
        var state = NamedTensors()
        for (name, tensor) in fixture.state
        where !["conv_head", "bn2", "classifier"].contains(name.prefix { $0 != "." }) {
            state[name] = tensor
        }
        var options = fixture.options
        options.includesHead = false
        #expect(
            try EfficientNetImport(state, file: "x", options: options).tensors.names
                == loaded.tensors.names)
    }

    /// A hash of names and shapes, which `make.py` also computes.
    private func hash(_ recipes: [EfficientNetNaming.Recipe]) -> String {
        let lines = recipes.flatMap(\.tensors).map { name, shape in
            "\(name) \(shape.map(String.init).joined(separator: "x"))\n"
        }
        let value = lines.sorted().joined().utf8.reduce(0xCBF2_9CE4_8422_2325 as UInt64) {
            ($0 ^ UInt64($1)) &* 0x100_0000_01B3
        }
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    @Test(
        "Names and shapes of every variant are those of both packages",
        arguments: EfficientNetVariant.allCases)
    func layouts(_ variant: EfficientNetVariant) throws {
        let document = try Data(
            contentsOf: URL(filePath: Fixtures.path("efficientnet/layouts.json").string))
        let hashes = try #require(
            JSONDecoder().decode([String: [String: String]].self, from: document)[variant.rawValue])
        let plan = EfficientNetPlan(EfficientNetConfiguration(.variant(variant)))
        #expect(hash(EfficientNetNaming.numbered.recipes(plan)) == hashes["numbered"])
        #expect(hash(EfficientNetNaming.timm.recipes(plan)) == hashes["timm"])
    }

    @Test("The variant follows from the shapes", arguments: EfficientNetVariant.allCases)
    func detection(_ variant: EfficientNetVariant) throws {
        for includesHead in [true, false] {
            let configuration = EfficientNetConfiguration(
                .variant(variant), includesHead: includesHead)
            for naming in EfficientNetNaming.allCases {
                var state = NamedTensors()
                let one = TensorStorage(byteCount: 4) { _ in }
                for (name, shape) in naming.recipes(EfficientNetPlan(configuration))
                    .flatMap(\.tensors)
                {
                    state[name] = try StoredTensor(
                        dtype: .float32, shape: shape, strides: shape.map { _ in 0 }, storage: one)
                }
                #expect(EfficientNetNaming(of: state.names) == naming)
                let match = EfficientNetImport.closest(
                    to: state, naming, forms: EfficientNetImport.forms, includesHead: includesHead)
                #expect(match.form == .variant(variant))
                #expect(match.faults == 0)
            }
        }
    }

    @Test("Names of timm's architectures")
    func architectures() throws {
        for (name, variant, convention) in [
            ("efficientnet_lite0", EfficientNetVariant.lite0, "timm"),
            ("efficientnet_lite0.ra_in1k", .lite0, "timm"),
            ("tf_efficientnet_lite4.in1k", .lite4, "tensorflow"),
            ("efficientnet_b0", .b0, "timm"),
            ("tf_efficientnet_b7.ns_jft_in1k", .b7, "tensorflow"),
            ("tf_efficientnet_b3_ap", .b3, "tensorflow"),
        ] {
            let found = try #require(TimmEfficientNetName(name), "\(name)")
            #expect(found.variant == variant)
            #expect(found.convention.rawValue == convention)
        }
        for name in [
            "", "tf_", "efficientnet_", "efficientnet_b1_pruned", "efficientnet_b0_gn",
            "tf_efficientnetv2_b0", "efficientnet_es", "resnet50", "efficientnet_b8",
        ] {
            #expect(TimmEfficientNetName(name) == nil, "\(name)")
        }
    }

    private func refusal(
        _ name: String = "timm-same",
        options change: (inout EfficientNetImport.Options) -> Void = { _ in },
        tensors edit: (inout NamedTensors) throws -> Void = { _ in }
    ) throws -> String {
        let fixture = try EfficientNetFixture(name)
        var (state, options) = (fixture.state, fixture.options)
        change(&options)
        try edit(&state)
        return failure { _ = try EfficientNetImport(state, file: "some.pth", options: options) }
    }

    @Test("Settings that timm's tensors do not determine must be given")
    func convention() throws {
        let open = try refusal(options: { $0.convention = nil })
        #expect(open.hasPrefix("some.pth: "))
        #expect(open.contains("config.json"))
        let other = try refusal(options: { $0.timmArchitecture = "mobilenetv3_large_100" })
        #expect(other.contains("mobilenetv3_large_100"))
        // The architecture also determines the sizes.
        let sizes = try refusal(options: {
            $0.form = nil
            $0.timmArchitecture = "tf_efficientnet_b0"
        })
        #expect(sizes.contains("blocks."))
        #expect(try refusal() == "")
    }

    @Test("Tensors that are missing, misshapen, unknown or not numeric are named")
    func faults() throws {
        let zero = StoredTensor(dtype: .float32, shape: [1], bytes: [0, 0, 0, 0])
        let unknown = try refusal(tensors: { $0["blocks.9.0.conv_pw.weight"] = zero })
        #expect(unknown.contains("blocks.9.0.conv_pw.weight"))
        let norm = try refusal(tensors: { $0["bn9.num_batches_tracked"] = zero })
        #expect(norm.contains("bn9.num_batches_tracked"))
        let missing = try refusal(tensors: { state in
            var fewer = NamedTensors()
            for (name, tensor) in state where name != "blocks.1.0.bn3.running_var" {
                fewer[name] = tensor
            }
            state = fewer
        })
        #expect(missing.contains("blocks.1.0.bn3.running_var"))
        let misshapen = try refusal(tensors: { $0["blocks.1.1.se.conv_reduce.bias"] = zero })
        #expect(misshapen.contains("blocks.1.1.se.conv_reduce.bias"))
        #expect(misshapen.contains("[6]"))
        let integers = try refusal(tensors: {
            $0["bn1.weight"] = StoredTensor(
                dtype: .int64, shape: [8], bytes: [UInt8](repeating: 0, count: 64))
        })
        #expect(integers.contains("bn1.weight"))
        for value in [-1, .nan, .infinity] as [Float] {
            let bytes = (0..<8).flatMap { _ in
                withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) }
            }
            let variance = try refusal(tensors: {
                $0["bn1.running_var"] = StoredTensor(dtype: .float32, shape: [8], bytes: bytes)
            })
            #expect(variance.contains("bn1.running_var"), "\(value)")
        }
        let nothing = try refusal(tensors: { $0 = NamedTensors() })
        #expect(nothing.contains("conv_stem.weight"))
    }

    @Test("A network of an unknown variant is rejected, and the nearest is named")
    func nearest() throws {
        let text = try refusal("numbered-lite", options: { $0.form = nil })
        #expect(text.contains("the nearest"))
        #expect(text.contains("lite"))
    }

    @Test("Weights in half precision are folded in full precision")
    func halves() throws {
        let fixture = try EfficientNetFixture("timm-symmetric")
        var state = NamedTensors()
        for (name, tensor) in fixture.state {
            let half = tensor.dtype.isFloatingPoint ? try Tensor(tensor).to(.float16) : nil
            state[name] =
                half?.withUnsafeBytes {
                    StoredTensor(dtype: .float16, shape: tensor.shape, bytes: $0)
                } ?? tensor
        }
        let loaded = try EfficientNetImport(state, file: "x", options: fixture.options)
        let weight = try #require(loaded.tensors["conv_stem.weight"])
        #expect(weight.dtype == .float32)
        let exact = try Tensor(#require(fixture.load().tensors["conv_stem.weight"]))
        #expect(try Tensor(weight).isClose(to: exact, relative: 5e-3, absolute: 1e-4))
    }
}
