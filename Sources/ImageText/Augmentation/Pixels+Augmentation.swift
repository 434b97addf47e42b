internal import CImaging

/// Operations on whole images for augmentation; only the crop changes the size.
extension Pixels {
    /// Returns the part of an image inside a box, which must lie within the image.
    static func crop(
        _ image: RGBImage, left: Int, top: Int, width: Int, height: Int
    ) -> RGBImage {
        precondition(
            left >= 0 && top >= 0 && left + width <= image.width && top + height <= image.height,
            "the box \(left), \(top), \(width), \(height) is outside the image")
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

    /// Returns the image with left and right exchanged.
    static func mirrored(_ image: RGBImage) -> RGBImage {
        orient(image.pixels, width: image.width, height: image.height, 2)
    }

    /// Counts the pixels of each value in each channel, `[3, 256]`.
    static func histogram(_ image: RGBImage) -> [Int] {
        let counts = [UInt32](unsafeUninitializedCapacity: 3 * 256) { buffer, initialized in
            imaging_histogram(
                image.pixels, image.width * image.height, buffer.baseAddress)
            initialized = 3 * 256
        }
        return counts.map(Int.init)
    }

    /// Replaces samples by a table: `output[i, c] = table[c, input[i, c]]`, with `table`
    /// `[3, 256]`.
    static func lookUp(_ image: RGBImage, in table: [UInt8]) -> RGBImage {
        precondition(table.count == 3 * 256, "the table has \(table.count) values, not 768")
        return image.replacing { output in
            imaging_look_up(image.pixels, image.width * image.height, table, output)
        }
    }

    /// Returns `smooth + factor * (image - smooth)`, in which `smooth` is a smoothed copy of the
    /// image; a factor of 1 changes nothing.
    package static func sharpened(
        _ image: RGBImage, factor: Float, kernels: Kernels = .fastest
    ) -> RGBImage {
        image.replacing { output in
            imaging_sharpen(
                image.pixels, Int32(image.width), Int32(image.height), factor, kernels.choice,
                output)
        }
    }

    /// Moves each point of the image by an affine map, with bilinear interpolation.
    ///
    /// - Parameters:
    ///   - matrix: `[2, 3]`, row-major; maps `(x, y, 1)` to the new place of the point.
    ///   - fill: The value of all channels outside the image.
    package static func warped(
        _ image: RGBImage, by matrix: [Double], fill: UInt8, kernels: Kernels = .fastest
    ) -> RGBImage {
        precondition(matrix.count == 6, "the affine map has \(matrix.count) numbers, not 6")
        return image.replacing { output in
            let status = imaging_warp(
                image.pixels, Int32(image.width), Int32(image.height), matrix, fill,
                kernels.choice, output)
            precondition(status == 0, "out of memory while warping an image")
        }
    }
}

extension RGBImage {
    /// Returns an image of the same size, all samples of which `body` writes.
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
