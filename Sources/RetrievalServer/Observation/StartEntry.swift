import Logging
import Retrieval

extension ServiceParts {
    /// Logs the address, the model and the index of the service.
    func logStart(_ address: String, to logger: Logger) {
        let statistics = library.gallery.index.statistics
        var metadata: Logger.Metadata = [
            "address": "\(address)", "version": "\(configuration.version)",
            "model": "\(model.fingerprint)", "model_name": "\(model.reader.name)",
            "index": "\(library.directory)", "recall": "\(library.recall.kind)",
            "images": .stringConvertible(statistics.images),
            "generation": .stringConvertible(statistics.generation),
            "is_writable": .stringConvertible(writing != nil),
        ]
        if let recall = model.recall {
            metadata["recall_model"] = "\(recall.fingerprint)"
            metadata["recall_model_name"] = "\(recall.name)"
        }
        if let questions { metadata["question_model"] = "\(questions.name)" }
        logger.notice("started", metadata: metadata)
    }
}
