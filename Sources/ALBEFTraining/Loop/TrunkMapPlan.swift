import ALBEF
import Foundation
import ImageText
import OrderedCollections
import SystemPackage
import Torch

extension TrunkMaps {
    /// The maps that a run needs, and everything that they depend on.
    struct Plan: Sendable, Hashable {
        /// The number of frozen parts of the trunk, counted from the stem; the last convolution is
        /// one part.
        let stages: Int
        /// The shape of a map, `[h, w, C]`.
        let shape: [Int]
        /// The number of views per image.
        let views: Int
        /// The number of maps.
        let count: Int
        /// A hash of everything that the maps depend on.
        let digest: UInt64

        /// The size of a map in half precision, in bytes.
        var mapBytes: Int { shape.reduce(2, *) }

        /// Returns the index of a view's map.
        func place(of view: AugmentedView) -> Int { view.image * views + view.index }

        /// Plans the maps of a run, or returns nil if its settings request none.
        ///
        /// - Throws: ``TrainingError`` if the model has no trunk, or the trunk's first stage is not
        ///   frozen.
        init?(
            _ configuration: TrainingConfiguration, _ state: TrainingState,
            _ dataset: CaptionDataset?
        ) throws {
            guard configuration.data.trunkViews > 0, let dataset else { return nil }
            let student = state.student
            let trunk = try Self.trunk(of: student)
            let parts = try Self.frozenParts(of: student, trunk, frozen: state.plan.frozen)
            let stages = parts.count
            let ofImages = student.parameters.compactMap { name, parameter in
                let place = ParameterPlace(name, student.configuration.text)
                return place.part == .image
                    ? (name: name, section: place.section, value: parameter.value) : nil
            }
            let size = student.configuration.vision.imageSize
            let sample = withoutGradients {
                trunk.stageMap(
                    .zeros([1, 3, size, size], device: student.device), stages: stages)
            }
            self.stages = stages
            shape = [sample.size(2), sample.size(3), sample.size(1)]
            views = configuration.data.trunkViews
            count = dataset.images.count * views

            var hash = ContentHash()
            let vision = student.configuration.vision
            hash.add("\(stages) \(size) \(vision.mean) \(vision.standardDeviation)")
            hash.add("\(configuration.augmentation) \(views) \(configuration.training.seed)")
            for image in dataset.images { hash.add(image.path.string) }
            for parameter in ofImages where parts.contains(parameter.section) {
                hash.add(parameter.name)
                parameter.value.detached().to(.cpu).contiguous().withUnsafeBytes { hash.add($0) }
            }
            digest = hash.word
        }

        /// Returns the frozen parts of a trunk from its first stage on, whose maps can be cached.
        ///
        /// - Throws: ``TrainingError`` if the first stage is not frozen.
        static func frozenParts(
            of model: ALBEFModel, _ trunk: EfficientNet, frozen: Set<String>
        ) throws -> [ParameterPlace.Section] {
            let moving = Set(
                model.parameters.keys.filter { !frozen.contains($0) }.map {
                    ParameterPlace($0, model.configuration.text)
                }.filter { $0.part == .image }.map(\.section))
            let parts =
                trunk.stages.indices.map { ParameterPlace.Section.trunkStage($0) }
                + (trunk.head == nil ? [] : [.other("trunk.head")])
            let first = Array(parts.prefix { !moving.contains($0) })
            guard !first.isEmpty else {
                throw TrainingError.setting(
                    "data.trunk_views",
                    "needs a trunk that is frozen from its first stage on; add image.trunk, or"
                        + " stages such as image.trunk.0-4, to optimizer.frozen")
            }
            return first
        }

        /// Returns the trunk of a model.
        ///
        /// - Throws: ``TrainingError`` if the model has none.
        static func trunk(of model: ALBEFModel) throws -> EfficientNet {
            guard let trunk = model.visualEncoder.trunk else {
                throw TrainingError.setting(
                    "data.trunk_views",
                    "needs a model with a trunk (create one from an EfficientNet with 'albef models"
                        + " create --image'); for other models set it to 0")
            }
            return trunk
        }
    }
}

/// The free space of a disk.
enum DiskSpace {
    /// Checks that a file of a given size can be created.
    ///
    /// - Parameters:
    ///   - bytes: The size of the file.
    ///   - path: The file. An existing file needs no more space than it has.
    ///   - setting: The setting that requests the file.
    /// - Throws: ``TrainingError`` with the required and the available space.
    static func require(_ bytes: Int, forNew path: FilePath, setting: String) throws {
        let manager = FileManager.default
        guard !manager.fileExists(atPath: path.string) else { return }
        var folder = path.removingLastComponent()
        while !folder.isEmpty, !manager.fileExists(atPath: folder.string),
            folder.removeLastComponent()
        {}
        let attributes = try? manager.attributesOfFileSystem(
            forPath: folder.isEmpty ? "." : folder.string)
        guard let free = attributes?[.systemFreeSize] as? Int, free < bytes else { return }
        func gigabytes(_ count: Int) -> String { String(format: "%.1f GB", Double(count) / 1e9) }
        throw TrainingError.setting(
            setting,
            "needs \(gigabytes(bytes)) of disk space for \(path), but only \(gigabytes(free)) are"
                + " free; set fewer views, or choose another disk with data.trunk_maps")
    }
}
