import Foundation
import Torch

/// Reads requests and does their work.
///
/// It keeps the models of earlier requests, so that only the first of several equal ones makes one.
final class Laboratory {
    private let models = Models()
    private var training: TrainingWork?
    private var recall: RecallWork?

    /// Returns the answer to a line.
    func answer(_ line: String) -> Answer {
        do {
            let request = try JSONDecoder().decode(Request.self, from: Data(line.utf8))
            if let threads = request.threads {
                setThreadCount(try request.number(.threads, threads))
            }
            return try answer(request)
        } catch {
            return Answer(error: "\(error)")
        }
    }

    /// Removes what was made on disk.
    func close() { recall = nil }

    private func answer(_ request: Request) throws -> Answer {
        switch request.work {
        case .image: try EncoderWork(models).image(request)
        case .cnn: try EncoderWork(models).trunk(request)
        case .text: try EncoderWork(models).text(request)
        case .rerank: try RerankWork(models).rerank(request)
        case .training: try step(request)
        case .decode: try LoadingWork().decode(request)
        case .augment: try LoadingWork().augment(request)
        case .pixels: try LoadingWork().pixels(request)
        case .peak: try PeakWork().product(request)
        case .tokenize: try TextWork().tokenize(request)
        case .recall: try search(request)
        }
    }

    private func step(_ request: Request) throws -> Answer {
        let size = try TrainingWork.Size(request)
        if training?.size != size {
            training = nil  // before the next one takes memory
            training = try TrainingWork(size)
        }
        guard let training else { return Answer(error: "no training") }
        return try training.steps(request)
    }

    private func search(_ request: Request) throws -> Answer {
        let work = try recall ?? RecallWork()
        recall = work
        return try work.search(request)
    }
}
