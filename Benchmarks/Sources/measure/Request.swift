import Foundation
import Torch

/// What a line asks to be measured.
///
/// All fields but the first have meaning for some kinds of work only, so they are optional here and
/// checked where they are read.
struct Request: Decodable {
    /// The kinds of work.
    enum Work: String, Decodable {
        case image, cnn, text, rerank, training, decode, augment, pixels, peak, tokenize, recall
    }

    /// The arithmetic of the encoders.
    enum Precision: String, Decodable {
        /// Single precision.
        case float32
        /// The fastest that the processor computes without a loss that matters.
        case automatic
        /// 8-bit integers in the products of linear layers.
        case int8

        /// The type in which a model multiplies.
        var computeType: ComputeType {
            switch self {
            case .float32: .float32
            case .automatic: .fastest(on: .cpu)
            case .int8: .int8
            }
        }
    }

    /// What to measure.
    var work: Work
    /// How often to repeat the work, of which the answer has the median; 1 by default.
    var calls: Int?
    /// The threads of libtorch; unchanged by default.
    var threads: Int?
    /// The arithmetic; single precision by default.
    var precision: Precision?
    /// The side of the images in pixels.
    var side: Int?
    /// The number of images, or of pairs of a training step.
    var batch: Int?
    /// The number of tokens of a text.
    var tokens: Int?
    /// The number of tokens of an image, class token included.
    var patches: Int?
    /// The number of images that are re-ranked.
    var candidates: Int?
    /// The size of a model: `full`, the default, or `tiny`.
    var model: String?
    /// Whether the training step recomputes activations in its backward pass.
    var checkpointed: Bool?
    /// A file.
    var path: String?
    /// Whether a JPEG is decoded in full size.
    var full: Bool?
    /// The type of the numbers of a matrix product, such as `float32`.
    var type: String?

    enum CodingKeys: String, CodingKey {
        case work = "do"
        case calls, threads, precision, side, batch, tokens, patches, candidates, model
        case checkpointed, path, full, type
    }

    /// Returns a number that the work needs.
    ///
    /// - Throws: ``MeasureError`` if the field is missing or not from 1 to 1,000,000.
    func number(_ field: CodingKeys, _ value: Int?) throws(MeasureError) -> Int {
        guard let value else { throw .missing(field.rawValue, work) }
        guard (1...1_000_000).contains(value) else { throw .outside(field.rawValue, value) }
        return value
    }

    /// Whether the work asks for the small model.
    ///
    /// - Throws: ``MeasureError`` if it asks for neither.
    var isTiny: Bool {
        get throws(MeasureError) {
            let name = model ?? "full"
            guard ["full", "tiny"].contains(name) else {
                throw .unknown("model", name, ["full", "tiny"])
            }
            return name == "tiny"
        }
    }

    /// Returns a text that the work needs.
    func string(_ field: CodingKeys, _ value: String?) throws(MeasureError) -> String {
        guard let value else { throw .missing(field.rawValue, work) }
        return value
    }
}

/// Why a request has no figures.
struct MeasureError: Error, CustomStringConvertible {
    private enum Code {
        case missing(String, Request.Work)
        case outside(String, Int)
        case unknown(String, String, [String])
    }

    private let code: Code

    /// A field that the work needs is missing.
    static func missing(_ field: String, _ work: Request.Work) -> MeasureError {
        MeasureError(code: .missing(field, work))
    }

    /// A number is too small or too large.
    static func outside(_ field: String, _ value: Int) -> MeasureError {
        MeasureError(code: .outside(field, value))
    }

    /// A word is not one of those that a field can have.
    static func unknown(_ field: String, _ word: String, _ known: [String]) -> MeasureError {
        MeasureError(code: .unknown(field, word, known))
    }

    var description: String {
        switch code {
        case .missing(let field, let work): "\"\(work.rawValue)\" needs the field \"\(field)\""
        case .outside(let field, let value): "\"\(field)\" is \(value), not from 1 to 1,000,000"
        case .unknown(let field, let word, let known):
            "\"\(field)\" is \"\(word)\", not one of \(known.joined(separator: ", "))"
        }
    }
}
