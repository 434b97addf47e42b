import Foundation
import ImageText
import SystemPackage

/// What happens to an image before its encoder: decoding, resizing, augmentation.
///
/// The times are those of the thread, which computes all by itself.
struct LoadingWork {
    /// Loads the JPEG at `path` and makes it the encoder's input of `side` pixels, normalised.
    func decode(_ request: Request) throws -> Answer {
        let (path, side) = try file(request)
        let loader = ImageLoader(targetSide: request.full == true ? nil : side)
        let transform = ImageTransform(side: side)
        let slot = UnsafeMutableBufferPointer<Float>.allocate(capacity: transform.count)
        defer { slot.deallocate() }
        return try Answer.timing(request, clock: Answer.threadSeconds) {
            transform(try loader.load(path), into: slot)
        }
    }

    /// Loads the JPEG at `path` and makes it a training input of `side` pixels: a random part,
    /// mirrored half of the time, two operations of RandAugment, normalised.
    func augment(_ request: Request) throws -> Answer {
        let (path, side) = try file(request)
        let (loader, transform) = (ImageLoader(), TrainingTransform(side: side))
        let slot = UnsafeMutableBufferPointer<Float>.allocate(capacity: transform.count)
        defer { slot.deallocate() }
        var random = SplitMix64(seed: 1)
        return try Answer.timing(request, clock: Answer.threadSeconds) {
            try transform(path, loadedBy: loader, into: slot, using: &random)
        }
    }

    /// Returns the samples of the image at `path`, resized to `side` pixels.
    func pixels(_ request: Request) throws -> Answer {
        let (path, side) = try file(request)
        let loader = ImageLoader(targetSide: request.full == true ? nil : side)
        let image = ImageTransform.resized(try loader.load(path), to: (side, side))
        let digits = Array("0123456789abcdef".utf8)
        let text = image.pixels.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
        return Answer(pixels: String(decoding: text, as: UTF8.self))
    }

    private func file(_ request: Request) throws -> (FilePath, side: Int) {
        (
            FilePath(try request.string(.path, request.path)),
            try request.number(.side, request.side)
        )
    }
}
