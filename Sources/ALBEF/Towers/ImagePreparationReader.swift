import Torch

/// A reader of a tower's image preparation from its documents.
struct ImagePreparationReader {
    let file: TowerFile
    let layout: TowerLayout

    private static let half = [0.5, 0.5, 0.5]

    /// Sets mean, standard deviation, fit and filter as the documents say.
    ///
    /// - Throws: ``ModelFileError`` if the preparation is not supported.
    func apply(to vision: inout ALBEFConfiguration.Vision) throws {
        setStandards(&vision)
        if let document = file.preparation {
            try applyHuggingFace(document, to: &vision)
        } else if let document = file.openCLIP?.section("preprocess_cfg") {
            try applyOpenCLIP(document, to: &vision)
        } else if layout == .timm, let document = file.configuration?.section("pretrained_cfg") {
            try channels(document, "mean", "std", &vision)
        }
    }

    /// Sets the values that a layout's models have unless a document says otherwise.
    private func setStandards(_ vision: inout ALBEFConfiguration.Vision) {
        switch layout {
        case .huggingFaceSigLIP, .huggingFaceSigLIPImage, .openCLIPTimm, .huggingFaceViT,
            .huggingFaceNewViT:
            vision.mean = Self.half
            vision.standardDeviation = Self.half
        case .huggingFaceChineseCLIP, .chineseCLIP: vision.fit = .squeeze
        default: break
        }
    }

    private func applyHuggingFace(
        _ document: ConfigurationDocument, to vision: inout ALBEFConfiguration.Vision
    ) throws {
        try channels(document, "image_mean", "image_std", &vision)
        if document.has("resample") {
            switch try document.integer("resample") {
            case 2: vision.filter = .bilinear
            case 3: vision.filter = .bicubic
            case let other:
                throw ModelFileError(
                    document.file,
                    .configuration(
                        "\"resample\" is \(other), which is not supported; it must be 2 (bilinear)"
                            + " or 3 (bicubic)"))
            }
        }
        let crops = try document.truth("do_center_crop", else: false)
        let hasShortest =
            document.section("size")?.has("shortest_edge") ?? (document.has("size") && crops)
        vision.fit = crops && hasShortest ? .crop : .squeeze
    }

    private func applyOpenCLIP(
        _ document: ConfigurationDocument, to vision: inout ALBEFConfiguration.Vision
    ) throws {
        try channels(document, "mean", "std", &vision)
        switch try document.text("interpolation", else: "bicubic") {
        case "bilinear": vision.filter = .bilinear
        case "bicubic": vision.filter = .bicubic
        case let other:
            throw ModelFileError(
                document.file,
                .configuration(
                    "\"interpolation\" is '\(other)', which is not supported; it must be bilinear"
                        + " or bicubic"))
        }
        switch try document.text("resize_mode", else: "shortest") {
        case "squash": vision.fit = .squeeze
        case "shortest": vision.fit = .crop
        case let other:
            throw ModelFileError(
                document.file,
                .configuration(
                    "\"resize_mode\" is '\(other)', which is not supported; it must be squash or"
                        + " shortest"))
        }
    }

    private func channels(
        _ document: ConfigurationDocument, _ mean: String, _ deviation: String,
        _ vision: inout ALBEFConfiguration.Vision
    ) throws {
        if let values = try document.channels(mean) { vision.mean = values }
        if let values = try document.channels(deviation) { vision.standardDeviation = values }
    }
}
