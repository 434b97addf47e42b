import OrderedCollections
import SystemPackage
import Torch
import WeightFiles

/// Maps a state dictionary to a layout, tensor by tensor.
struct CheckpointMapping {
    let state: StateDictionary
    let keepsTrainingState: Bool
    private(set) var configuration: ALBEFConfiguration
    private(set) var tensors = NamedTensors()
    private(set) var report: ImportReport
    private let shapes: [String: [Int]]
    private let layout: ParameterLayout
    /// Whether this checkpoint is NLVR2's own pretraining by text assignment, which has another
    /// head.
    private let isTextAssignment: Bool

    init(
        state: StateDictionary, configuration: ALBEFConfiguration, keepsTrainingState: Bool
    ) {
        self.state = state
        self.configuration = configuration
        self.keepsTrainingState = keepsTrainingState
        layout = ParameterLayout(configuration)
        shapes = Dictionary(
            layout.parameters.map { ($0.name, $0.shape) }, uniquingKeysWith: { first, _ in first })
        isTextAssignment = configuration.task == .nlvr && state.tensor("ta_head.weight") != nil
        report = ImportReport(
            file: state.file.string, location: state.location, dialect: configuration.dialect,
            task: configuration.task, others: state.others)
    }

    mutating func run() throws {
        try takeParameters()
        var unexplained: [String] = []
        for (name, element) in state.elements where shapes[name] == nil {
            if !(try explain(name, element)) { unexplained.append(element.source) }
        }
        guard unexplained.isEmpty else {
            throw ModelFileError(state.file, .unexplained(unexplained))
        }
        // Both layers of a pair share the key and value projections of their images.
        for (copy, original) in layout.copies {
            if let element = state.elements[copy] { _ = try tied(element, to: original) }
        }
        if [.retrieval, .grounding].contains(configuration.task),
            state.tensor("image_queue") != nil, state.tensor("idx_queue") == nil
        {
            let reason = "created when training starts, filled with -100"
            report.entries.append(.init(name: "idx_queue", action: .new, reason: reason))
        }
    }

    private mutating func takeParameters() throws {
        var missing: [String] = []
        for parameter in layout.parameters {
            if let element = state.elements[parameter.name] {
                try take(element, as: parameter.name, shape: parameter.shape)
            } else if isTextAssignment, parameter.name.hasPrefix("cls_head.") {
                tensors[parameter.name] = InitialHead.tensor(parameter)
                configuration.isTrained = false
                report.entries.append(
                    .init(
                        name: parameter.name, action: .new,
                        reason: "random; the model must be fine-tuned before use"))
            } else {
                missing.append(parameter.name)
            }
        }
        guard missing.isEmpty else { throw ModelFileError(state.file, .missing(missing)) }
    }

    private mutating func take(
        _ element: StateDictionary.Element, as name: String, shape: [Int]
    ) throws {
        guard element.tensor.shape == shape else {
            throw ModelFileError(
                state.file,
                .shape(tensor: element.source, expected: shape, found: element.tensor.shape))
        }
        guard element.tensor.dtype.isFloatingPoint else {
            throw ModelFileError(
                state.file,
                .tensor(
                    name: element.source,
                    problem: "should be floating point, but is \(element.tensor.dtype)"))
        }
        keep(element, as: name)
    }

    private mutating func keep(_ element: StateDictionary.Element, as name: String) {
        tensors[name] = element.tensor
        report.entries.append(
            .init(
                name: name, source: element.source,
                action: name == element.source ? .mapped : .renamed))
    }

    private mutating func ignore(_ element: StateDictionary.Element, _ reason: String) {
        report.entries.append(
            .init(
                name: element.source, source: element.source, action: .ignored, reason: reason))
    }
}

// MARK: - Tensors beside the parameters

extension CheckpointMapping {
    /// Records the outcome of a tensor that is not a parameter; returns false if it is unknown.
    private mutating func explain(
        _ name: String, _ element: StateDictionary.Element
    ) throws -> Bool {
        if ParameterLayout.queues.contains(name),
            [.pretraining, .retrieval, .grounding]
                .contains(configuration.task)
        {
            if keepsTrainingState {
                try checkQueue(name, element)
                keep(element, as: name)
            } else {
                ignore(element, "training queue, which starts empty in the next training")
            }
            return true
        }
        let online = ParameterLayout.online(name)
        if let online, let shape = shapes[online] {
            if keepsTrainingState {
                try take(element, as: name, shape: shape)
            } else {
                ignore(element, "momentum twin, used only in training")
            }
            return true
        }
        guard let reason = try reason(online ?? name, isTwin: online != nil, element) else {
            return false
        }
        ignore(element, reason)
        return true
    }

    /// Returns why a tensor that the model does not have may be left out; nil if it may not.
    private func reason(
        _ name: String, isTwin: Bool, _ element: StateDictionary.Element
    ) throws -> String? {
        let text = configuration.text
        if name.hasSuffix(".bert.embeddings.position_ids") {
            guard element.tensor.isCounting(to: text.positions) else {
                throw ModelFileError(
                    state.file,
                    .tensor(
                        name: element.source,
                        problem: "should hold the numbers 0 to \(text.positions - 1) in order"))
            }
            return "position numbers, which are the same in every model"
        }
        if name.hasSuffix(".bert.embeddings.token_type_embeddings.weight"),
            !configuration.text.hasTokenTypes
        {
            return "token types, which the dialect \(configuration.dialect.rawValue) does not have"
        }
        for module in ["text_encoder", "text_decoder"] {
            let head = "\(module).cls.predictions."
            guard name.hasPrefix(head) else { continue }
            // If the task has no such head, all of it is left over from pretraining.
            guard shapes["\(head)bias"] != nil else {
                return module == "text_encoder"
                    ? "language-model head, left over from pretraining" : nil
            }
            let twin = isTwin ? "_m" : ""
            switch name.dropFirst(head.count) {
            case "decoder.weight":
                let words = "\(module)\(twin).bert.embeddings.word_embeddings.weight"
                return try tied(element, to: words)
            case "decoder.bias":
                return try tied(element, to: "\(module)\(twin).cls.predictions.bias")
            default: return nil
            }
        }
        guard isTextAssignment else { return nil }
        let heads = ["ta_head", "vision_proj", "text_proj", "itm_head"]
        if heads.contains(where: { name.hasPrefix("\($0).") }) || name == "temp" {
            return "used only by text assignment"
        }
        return nil
    }

    /// Checks that both copies of a tensor stored twice are equal, and returns the reason to drop
    /// one.
    private func tied(_ element: StateDictionary.Element, to name: String) throws -> String {
        guard let other = state.tensor(name), other.isIdentical(to: element.tensor) else {
            throw ModelFileError(
                state.file,
                .tensor(
                    name: element.source,
                    problem: "should equal \"\(state.elements[name]?.source ?? name)\", to "
                        + "which it is tied, but differs"))
        }
        return "stored twice; tied and equal to another tensor"
    }

    private func checkQueue(_ name: String, _ element: StateDictionary.Element) throws {
        let length = state.tensor("image_queue")?.shape.last ?? 0
        let (shape, isInteger): ([Int], Bool) =
            switch name {
            case "queue_ptr": ([1], true)
            case "idx_queue": ([1, length], true)
            default: ([configuration.embeddingWidth, length], false)
            }
        guard element.tensor.shape == shape else {
            throw ModelFileError(
                state.file,
                .shape(tensor: element.source, expected: shape, found: element.tensor.shape))
        }
        guard element.tensor.dtype.isFloatingPoint != isInteger else {
            throw ModelFileError(
                state.file,
                .tensor(
                    name: element.source,
                    problem: "should be of \(isInteger ? "an integer" : "a floating-point") type, "
                        + "but is \(element.tensor.dtype)"))
        }
    }
}

extension StoredTensor {
    /// Returns whether the tensor is int64 and holds 0, 1, …, `count` - 1.
    fileprivate func isCounting(to count: Int) -> Bool {
        guard dtype == .int64, elementCount == count else { return false }
        return withUnsafeBytes { bytes in
            (0..<count).allSatisfy {
                bytes.loadUnaligned(fromByteOffset: $0 * 8, as: Int64.self) == Int64($0)
            }
        }
    }
}
