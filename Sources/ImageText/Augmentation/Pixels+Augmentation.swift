internal import CImaging

/// Changes of whole images that keep their size, but for the crop.
extension Pixels {
    /// The part of an image inside a box that lies within it.
    static func crop(
        _ image: RGBImage, left: Int, top: Int, width: Int, height: Int
    ) -> RGBImage {
        precondition(
            left >= 0 && top >= 0 && left + width <= image.width && top + height <= image.height,
            "a box outside the image")
        if width == image.width && height == image.height { return image }
        let count = width * height * 3
        let pixels = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            for y in 0..<height {
                let start = ((top + y) * image.width + left) * 3
                _ = UnsafeMutableBufferPointer(rebasing: buffer[(y * width * 3)...])
                    .update(fromContentsOf: image.pixels[start..<start + width * 3])
            }
            initialized = count
        }
        return RGBImage(width: width, height: height, pixels: pixels)
    }

    /// The image with left and right exchanged.
    static func mirrored(_ image: RGBImage) -> RGBImage {
        orient(image.pixels, width: image.width, height: image.height, 2)
    }

    /// How often each channel has each value: `[3, 256]`.
    static func histogram(_ image: RGBImage) -> [Int] {
        let counts = [UInt32](unsafeUninitializedCapacity: 3 * 256) { buffer, initialized in
            imaging_histogram(
                image.pixels, image.width * image.height, buffer.baseAddress)
            initialized = 3 * 256
        }
        return counts.map(Int.init)
    }

    /// `output[i, c] = table[c, input[i, c]]`, with `table` `[3, 256]`.
    static func lookUp(_ image: RGBImage, in table: [UInt8]) -> RGBImage {
        precondition(table.count == 3 * 256, "a table of \(table.count) values")
        return image.replacing { output in
            imaging_look_up(image.pixels, image.width * image.height, table, output)
        }
    }

    /// The image less a smoothed copy of it, `factor` times, plus that copy; 1 changes nothing.
    static func sharpened(_ image: RGBImage, factor: Float) -> RGBImage {
        image.replacing { output in
            imaging_sharpen(
                image.pixels, Int32(image.width), Int32(image.height), factor, output)
        }
    }

    /// The image with each point moved by an affine map, bilinear.
    ///
    /// - Parameters:
    ///   - matrix: `[2, 3]`, row by row; where it takes `(x, y, 1)` is where that point goes.
    ///   - fill: What all channels have outside the image.
    static func warped(_ image: RGBImage, by matrix: [Double], fill: UInt8) -> RGBImage {
        precondition(matrix.count == 6, "an affine map of \(matrix.count) numbers")
        return image.replacing { output in
            imaging_warp(
                image.pixels, Int32(image.width), Int32(image.height), matrix, fill, output)
        }
    }
}

extension RGBImage {
    /// An image of the same size, every sample of which `body` writes.
    fileprivate func replacing(_ body: (UnsafeMutablePointer<UInt8>?) -> Void) -> RGBImage {
        let count = pixels.count
        return RGBImage(
            width: width, height: height,
            pixels: [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
                body(buffer.baseAddress)
                initialized = count
            })
    }
}
