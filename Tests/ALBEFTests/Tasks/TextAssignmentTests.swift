import ALBEF
import OrderedCollections
import Testing
import Torch

@Suite("Text assignment")
struct TextAssignmentTests {
    static let configuration: ALBEFConfiguration = {
        var configuration = TinyObjective.configuration
        configuration.task = .textAssignment
        configuration.text.depth = 3
        return configuration
    }()

    private func objective(seed: UInt64 = 5) throws -> TextAssignmentObjective {
        let model = try ALBEFModel(
            Self.configuration, parameters: RandomParameters(generator: Generator(seed: 1)))
        TinyObjective.recordGradients(of: model)
        return try TextAssignmentObjective(
            student: model, generator: Generator(seed: seed), dropout: nil)
    }

    @Test("Each text is read with the images of its assignment, in their order")
    func assignment() throws {
        let objective = try objective()
        let batch = try TinyObjective.batch(4)
        let chosen = TextAssignmentObjective.Assignment(
            first: Tensor([0, 3, 0, 1]), second: Tensor([2, 1, 1, 3]),
            labels: Tensor([0, 1, 2, 1]))
        let outcome = try objective(batch, assignment: chosen)
        let model = objective.student
        let tokens = try model.encodeTokens(try #require(batch.pixels))
        let logits = try model.assignmentLogits(
            batch.ids, mask: batch.mask, images: [tokens[chosen.first], tokens[chosen.second]])
        #expect(outcome.logits.isClose(to: logits, absolute: 1e-5))
        #expect(abs((outcome.loss - logits.crossEntropy(chosen.labels)).scalar()) < 1e-5)
        let swapped = try model.assignmentLogits(
            batch.ids, mask: batch.mask, images: [tokens[chosen.second], tokens[chosen.first]])
        #expect(!outcome.logits.isClose(to: swapped, absolute: 1e-5))

        try outcome.loss.backward()
        let gradients = model.parameters.filter { $1.value.grad != nil }.keys
        #expect(
            gradients.contains("ta_head.weight") && gradients.contains("visual_encoder.norm.bias"))
        #expect(!gradients.contains { $0.hasPrefix("vision_proj.") })
    }

    @Test("Labels say where a text's own image is, and other images are others")
    func draws() throws {
        let objective = try objective()
        // The second and the last image are the same.
        let ids = [7, 8, 9, 10, 8]
        let pixels = try #require(try TinyObjective.batch(5).pixels)
        let tokens = try objective.student.encodeTokens(pixels)
        var counts = [0, 0, 0]
        for _ in 0..<300 {
            let drawn = objective.draw(tokens, ids: Tensor(ids))
            let (first, second): ([Int], [Int]) = (drawn.first.values(), drawn.second.values())
            for (row, label) in drawn.labels.values(as: Int.self).enumerated() {
                counts[label] += 1
                #expect(first[row] != second[row])
                #expect((first[row] == row) == (label == 0))
                #expect((second[row] == row) == (label == 1))
                for other in [first[row], second[row]] where other != row {
                    #expect(ids[other] != ids[row])
                }
            }
        }
        // A third each of 1,500; the standard deviation is 18.
        #expect(counts.allSatisfy { abs($0 - 500) < 110 }, "\(counts)")
    }

    @Test("A text with a single other image keeps its own")
    func singleOther() throws {
        let objective = try objective()
        let pixels = try #require(try TinyObjective.batch(3).pixels)
        let tokens = try objective.student.encodeTokens(pixels)
        for _ in 0..<50 {
            let drawn = objective.draw(tokens, ids: Tensor([1, 1, 2]))
            let labels: [Int] = drawn.labels.values()
            #expect(labels[0] != 2 && labels[1] != 2)
        }
    }

    @Test("The loss falls when the step is repeated")
    func learns() throws {
        let objective = try objective()
        let batch = try TinyObjective.batch(6)
        let tokens = try objective.student.encodeTokens(try #require(batch.pixels))
        let chosen = objective.draw(tokens)
        let optimizer = AdamW(
            [AdamW.Group(objective.student.parameters.map(\.value), weightDecay: 0)],
            learningRate: 3e-3)
        var losses: [Double] = []
        for _ in 0..<30 {
            optimizer.clearGradients()
            let loss = try objective(batch, assignment: chosen).loss
            try loss.backward()
            try optimizer.step()
            losses.append(loss.scalar())
        }
        #expect(losses[29] < 0.3 * losses[0], "\(losses)")
    }

    @Test("What does not fit is named")
    func refused() throws {
        let objective = try objective()
        #expect(
            failure { _ = try objective(try TinyObjective.batch(2)) }.contains("at least three"))
        let batch = try TinyObjective.batch(3)
        let tokens = try objective.student.encodeTokens(try #require(batch.pixels))
        func message(_ body: () throws -> Tensor) -> String { failure { _ = try body() } }
        #expect(
            message {
                try objective.student.assignmentLogits(
                    batch.ids, mask: batch.mask, images: [tokens])
            }.contains("reads 2 images per text, not 1"))
        #expect(
            message {
                try objective.student.classLogits(
                    batch.ids, mask: batch.mask, images: [tokens, tokens])
            }.contains("classification needs an entailment or nlvr model"))
        let other = try TinyObjective.model()
        #expect(
            failure {
                _ = try TextAssignmentObjective(
                    student: other, generator: Generator(seed: 1), dropout: nil)
            }.contains("text assignment needs"))
        var odd = Self.configuration
        odd.text.depth = 4
        #expect(failure { try odd.validate() }.contains("come in pairs"))
        var blind = Self.configuration
        blind.text.depth = 1
        #expect(failure { try blind.validate() }.contains("leaves no layer that reads images"))
    }
}
