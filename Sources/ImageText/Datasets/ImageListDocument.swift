internal import Foundation
internal import SystemPackage

/// A JSON document with a list of images: COCO's captions, or Karpathy's splits.
struct ImageListDocument: Decodable {
    private struct Image: Decodable {
        let id: DecodedImageID?
        let file_name: String?
        let filename: String?
        let filepath: String?
        let split: String?
        let sentences: [Sentence]?
    }

    private struct Sentence: Decodable {
        let raw: String
    }

    private struct Annotation: Decodable {
        let image_id: DecodedImageID
        let caption: String
    }

    private let images: [Image]
    private let annotations: [Annotation]?

    static func read(
        _ data: Data, of path: FilePath, splits: Set<String>, into builder: inout DatasetBuilder
    ) throws(DatasetError) {
        let document: ImageListDocument
        do {
            document = try JSONDecoder().decode(ImageListDocument.self, from: data)
        } catch {
            throw .json(error, in: data, of: path)
        }
        if let annotations = document.annotations {
            guard splits.isEmpty else { throw .unsplit(path) }
            try document.addCOCO(annotations, of: path, to: &builder)
        } else {
            try document.addKarpathy(of: path, splits: splits, to: &builder)
        }
    }

    private func addCOCO(
        _ annotations: [Annotation], of path: FilePath, to builder: inout DatasetBuilder
    ) throws(DatasetError) {
        var nameByID: [ImageID: String] = [:]
        for (index, image) in images.enumerated() {
            guard let name = image.file_name, !name.isEmpty else {
                throw .malformed(path, entry: "images[\(index)].file_name", "is missing")
            }
            guard let id = image.id?.id else {
                throw .malformed(path, entry: "images[\(index)].id", "is missing")
            }
            nameByID[id] = name
            builder.add(name: name, captions: [], imageID: id)
        }
        for (index, annotation) in annotations.enumerated() {
            let id = annotation.image_id.id
            guard let name = nameByID[id] else {
                throw .malformed(
                    path, entry: "annotations[\(index)].image_id",
                    "is not the id of any image in the file")
            }
            builder.add(name: name, captions: [annotation.caption], imageID: id)
        }
    }

    private func addKarpathy(
        of path: FilePath, splits: Set<String>, to builder: inout DatasetBuilder
    ) throws(DatasetError) {
        var present: Set<String> = []
        var count = 0
        for (index, image) in images.enumerated() {
            guard let name = image.filename, !name.isEmpty else {
                throw .malformed(path, entry: "images[\(index)].filename", "is missing")
            }
            guard let sentences = image.sentences else {
                throw .malformed(path, entry: "images[\(index)].sentences", "is missing")
            }
            if let split = image.split { present.insert(split) }
            guard splits.isEmpty || image.split.map(splits.contains) == true else { continue }
            let folder = image.filepath.map { $0.isEmpty ? "" : $0 + "/" } ?? ""
            builder.add(name: folder + name, captions: sentences.map(\.raw), imageID: nil)
            count += 1
        }
        guard splits.isEmpty || count > 0 else {
            throw present.isEmpty
                ? .unsplit(path) : .noRows(path, splits: splits, present: present)
        }
    }
}
