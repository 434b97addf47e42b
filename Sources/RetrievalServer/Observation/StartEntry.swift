import Logging
import Retrieval

extension ServiceParts {
    /// Says in the log what is served, by what, and where.
    func logStart(_ address: String, to logger: Logger) {
        let statistics = library.gallery.index.statistics
        logger.notice(
            "started",
            metadata: [
                "address": "\(address)", "version": "\(configuration.version)",
                "model": "\(model.fingerprint)", "index": "\(library.directory)",
                "images": .stringConvertible(statistics.pictures),
                "generation": .stringConvertible(statistics.generation),
                "is_writable": .stringConvertible(writing != nil),
            ])
    }
}
