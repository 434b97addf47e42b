import ALBEF
import Foundation
import ImageText
import OrderedCollections
import SystemPackage
import Torch

extension TrunkMaps {
    /// Which maps a run needs, and what they depend on.
    struct Plan: Sendable, Hashable {
        /// How many parts of the trunk are frozen, from the stem on; the last convolution is one.
        let stages: Int
        /// The shape of a map, `[h, w, C]`.
        let shape: [Int]
        /// Views per image.
        let views: Int
        /// How many maps there are.
        let count: Int
        /// Depends on all that a map depends on.
        let digest: UInt64

        /// Bytes of a map in half precision.
        var mapBytes: Int { shape.reduce(2, *) }

        /// A view's place among the maps.
        func place(of view: AugmentedView) -> Int { view.image * views + view.index }

        /// Plans the maps of a run; nil where its settings ask for none.
        ///
        /// - Throws: ``TrainingError`` if the model has no trunk, or nothing of it is frozen.
        init?(
            _ configuration: PretrainingConfiguration, _ state: TrainingState,
            _ dataset: CaptionDataset
        ) throws {
            guard configuration.data.trunkViews > 0 else { return nil }
            let student = state.student
            guard let trunk = student.visualEncoder.trunk else {
                throw TrainingError.setting(
                    "data.trunk_views",
                    "needs a model with a trunk ('albef models create --image' makes one of an"
                        + " EfficientNet); for others it must be 0")
            }
            let frozen = state.plan.frozen
            let ofImages = student.parameters.compactMap { name, parameter in
                let place = ParameterPlace(name, student.configuration.text)
                return place.part == .image
                    ? (name: name, section: place.section, value: parameter.value) : nil
            }
            func isFrozen(_ section: ParameterPlace.Section) -> Bool {
                ofImages.allSatisfy { $0.section != section || frozen.contains($0.name) }
            }
            let parts =
                trunk.stages.indices.map { ParameterPlace.Section.trunkStage($0) }
                + (trunk.head == nil ? [] : [.other("trunk.head")])
            let stages = parts.prefix(while: isFrozen).count
            guard stages > 0 else {
                throw TrainingError.setting(
                    "data.trunk_views",
                    "needs a trunk that is frozen from its first stage on: optimizer.frozen must"
                        + " hold image.trunk, or stages such as image.trunk.0-4")
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
            for parameter in ofImages where parts.prefix(stages).contains(parameter.section) {
                hash.add(parameter.name)
                parameter.value.detached().to(.cpu).contiguous().withUnsafeBytes { hash.add($0) }
            }
            digest = hash.word
        }
    }
}

/// Room on a disk.
enum DiskSpace {
    /// Checks that a file of this size can be made.
    ///
    /// - Parameters:
    ///   - path: the file; where it is there already, it needs no more room than it has.
    ///   - setting: what asks for it.
    /// - Throws: ``TrainingError`` that says how much is needed and how much there is.
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
            "needs \(gigabytes(bytes)) of disk for \(path), which has \(gigabytes(free)) free; ask"
                + " for fewer views, or name another disk with data.trunk_maps")
    }
}
