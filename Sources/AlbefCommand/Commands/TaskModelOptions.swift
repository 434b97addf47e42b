import ALBEF
import ArgumentParser
import CommandSupport
import SystemPackage
import Torch

/// The options of every command that runs a model of a downstream task.
struct TaskModelOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            """
            The model: a directory that 'albef finetune' or 'albef import' wrote, or a name from \
            'albef models list', which is fetched on first use.
            """,
            valueName: "model"), completion: .directory)
    var model: String

    @Option(
        help: ArgumentHelp(
            "Side of the input images in pixels; default: that of the weights.",
            valueName: "pixels"))
    var imageSize: Int?

    @Option(help: ArgumentHelp("cpu, cuda, cuda:N, mps or auto.", valueName: "device"))
    var device = "auto"

    @Option(
        help: ArgumentHelp(
            "The number format of matrix products: float32, which is exact, bfloat16 or int8.",
            valueName: "type"))
    var computeType = ComputeType.float32

    @Option(help: ArgumentHelp("Processor threads to use; default: all.", valueName: "n"))
    var threads: Int?

    func validate() throws {
        try NumberBounds.check("--threads", threads, 1...1024)
        try NumberBounds.check("--image-size", imageSize, 1...4096)
    }

    /// Loads the model, and notes that it is untrained.
    ///
    /// - Parameter task: the task that the command is for.
    /// - Throws: A `ValidationError` if the model is for another task.
    func load(_ task: ALBEFConfiguration.Task) async throws -> TaskModel {
        if let threads { setThreadCount(threads) }
        return try await TaskModel(
            named: model, for: task, imageSize: imageSize, device: Device(named: device),
            computeType: computeType)
    }
}

extension TaskModel {
    /// Loads the model that a name or path stands for, and notes that it is untrained, or that the
    /// device computes in another type.
    ///
    /// - Parameters:
    ///   - name: a directory, or a name of the catalogue, which is fetched on first use.
    ///   - task: the task that the command is for.
    ///   - note: receives remarks; if nil, they go to standard error.
    /// - Throws: A `ValidationError` if the model is for another task.
    init(
        named name: String, for task: ALBEFConfiguration.Task, imageSize: Int? = nil,
        device: Device, computeType: ComputeType, note: (@Sendable (String) -> Void)? = nil
    ) async throws {
        let files = try ModelDirectory.open(try await ModelFetch(note: note).model(name))
        let own = files.configuration.task
        guard own == task else {
            throw ValidationError(
                "\(name) is a model for \(own.rawValue), not for \(task.rawValue);"
                    + " 'albef finetune' makes one from a pretrained model.")
        }
        let tell = note ?? { Console.note($0) }
        if let remark = computeType.remark(on: device) { tell(remark) }
        if !files.configuration.isTrained {
            tell("note: the weights of this model are untrained; its results mean nothing")
        }
        try self.init(files, imageSize: imageSize, device: device, computeType: computeType)
    }
}
