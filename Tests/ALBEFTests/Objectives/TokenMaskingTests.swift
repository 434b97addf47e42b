import ALBEF
import OrderedCollections
import Testing
import Torch

@Suite("Hiding tokens")
struct TokenMaskingTests {
    private let masking = TinyObjective.masking

    /// Texts `[400, 60]`: `[CLS]`, tokens, and padding in the last ten places.
    private func ids() throws -> [Int] {
        let draws: [Float] = Tensor.uniform([24_000], generator: try Generator(seed: 1)).values()
        return draws.indices.map { index in
            switch index % 60 {
            case 0: 2
            case 50...: 0
            default: 5 + Int(draws[index] * 194)
            }
        }
    }

    private func expect(_ count: Int, of total: Int, is share: Double, _ what: String) {
        let bound = 5 * (Double(total) * share * (1 - share)).squareRoot()
        #expect(abs(Double(count) - Double(total) * share) < bound, "\(what): \(count) of \(total)")
    }

    @Test("15% of the tokens are chosen; of these 80% are hidden, 10% replaced, 10% kept")
    func shares() throws {
        let ids = try ids()
        let hidden = masking(
            Tensor(ids, shape: [400, 60]), generator: try Generator(seed: 2))
        let after: [Int] = hidden.ids.values()
        let positions: [Int] = hidden.positions.values()
        let labels: [Int] = hidden.labels.values()
        #expect(hidden.ids.shape == [400, 60] && labels == positions.map { ids[$0] })
        #expect(positions == Array(Set(positions)).sorted())
        #expect(labels.allSatisfy { $0 != 0 && $0 != 2 })
        let chosen = Set(positions)
        #expect(ids.indices.allSatisfy { chosen.contains($0) || ids[$0] == after[$0] })

        expect(positions.count, of: ids.count { $0 != 0 && $0 != 2 }, is: 0.15, "chosen")
        let masked = positions.count { after[$0] == 4 }
        let left = positions.count { after[$0] == ids[$0] }
        // A random token is the old one, or [MASK], once in 200 times.
        expect(masked, of: positions.count, is: 0.8 + 0.1 / 200, "hidden")
        expect(left, of: positions.count, is: 0.1 + 0.1 / 200, "left")
        expect(positions.count - masked - left, of: positions.count, is: 0.1 * 0.99, "random")
    }

    @Test("A random token is any of the vocabulary")
    func vocabulary() throws {
        let few = TokenMasking(probability: 1, vocabularySize: 7, mask: 4, kept: [])
        let hidden = few(
            Tensor([Int](repeating: 1, count: 20_000), shape: [100, 200]),
            generator: try Generator(seed: 2))
        let after: [Int] = hidden.ids.values()
        #expect(hidden.positions.count == 20_000)
        #expect(Set(after) == Set(0..<7))
        for token in [0, 2, 3, 5, 6] {
            expect(after.count { $0 == token }, of: 20_000, is: 0.1 / 7, "token \(token)")
        }
    }

    @Test("The generator's state determines the hidden tokens, and advances by the size alone")
    func determinism() throws {
        let ids = Tensor(try ids(), shape: [400, 60])
        let generator = try Generator(seed: 5)
        let state = try generator.state()
        let first = masking(ids, generator: generator)
        let second = masking(ids, generator: generator)
        #expect(first.positions.values() as [Int] != second.positions.values())
        try generator.restore(state)
        let again = masking(ids, generator: generator)
        #expect(first.ids.values() as [Int] == again.ids.values())
        #expect(first.labels.values() as [Int] == again.labels.values())

        try generator.restore(state)
        _ = masking(
            Tensor([Int](repeating: 0, count: 24_000), shape: [240, 100]), generator: generator)
        let next = masking(ids, generator: generator)
        #expect(second.ids.values() as [Int] == next.ids.values())
    }

    @Test(
        "Without a hidden token the MLM loss is 0 and every gradient is finite",
        arguments: [0.0, 0.4])
    func nothingHidden(alpha: Double) throws {
        let student = try TinyObjective.model()
        let objective = try TinyObjective.objective(
            student,
            ObjectiveConfiguration(
                contrastive: .init(queue: 6), maskedLanguage: .init(probability: 0), dropout: 0))
        TinyObjective.recordGradients(of: student)
        let losses = try objective(try TinyObjective.batch(4), alpha: alpha)
        let words = try #require(losses.maskedLanguage)
        #expect(words.loss.scalar() == 0 && words.logits.shape == [0, 200])
        #expect(losses.total.scalar().isFinite)
        try losses.total.backward()
        for (name, parameter) in student.parameters {
            guard let gradient = parameter.value.grad else { continue }
            #expect((gradient * 0).sum().scalar() == 0, "\(name)")
        }
        let projection = try #require(student.parameters["vision_proj.weight"]?.value.grad)
        #expect(projection.abs().max().scalar() > 0)
    }
}
