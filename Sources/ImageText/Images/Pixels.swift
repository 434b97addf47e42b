internal import CImaging

/// Operations on whole images: orientation, resizing, and conversion to planes.
package enum Pixels {
    /// The resampling routines; all yield the same pixels.
    package enum Kernels: Sendable {
        /// The fastest routines of this processor.
        case fastest
        /// The routines that run on every processor.
        case portable

        var choice: imaging_kernels {
            self == .fastest ? IMAGING_FASTEST : IMAGING_PORTABLE
        }
    }

    /// Copies samples `[height, width, 3]` into an upright image, according to EXIF's orientation.
    static func orient(
        _ samples: UnsafeBufferPointer<UInt8>, width: Int, height: Int, _ orientation: Int
    ) -> RGBImage {
        let pixels = [UInt8](unsafeUninitializedCapacity: samples.count) { buffer, initialized in
            imaging_orient(
                samples.baseAddress, width, height, Int32(orientation), buffer.baseAddress)
            initialized = samples.count
        }
        let turned = (5...8).contains(orientation)
        return RGBImage(
            width: turned ? height : width, height: turned ? width : height, pixels: pixels)
    }

    static func orient(
        _ samples: [UInt8], width: Int, height: Int, _ orientation: Int
    ) -> RGBImage {
        guard (2...8).contains(orientation) else {
            return RGBImage(width: width, height: height, pixels: samples)
        }
        return samples.withUnsafeBufferPointer {
            orient($0, width: width, height: height, orientation)
        }
    }

    /// Returns the part of an image with the given top left corner and size.
    static func cropped(
        _ image: RGBImage, left: Int, top: Int, width: Int, height: Int
    ) -> RGBImage {
        precondition(
            left >= 0 && top >= 0 && left + width <= image.width && top + height <= image.height,
            "the part \(left), \(top), \(width), \(height) is not inside the image")
        var pixels: [UInt8] = []
        pixels.reserveCapacity(width * height * 3)
        for row in top..<top + height {
            let start = (row * image.width + left) * 3
            pixels += image.pixels[start..<start + width * 3]
        }
        return RGBImage(width: width, height: height, pixels: pixels)
    }

    /// Converts ink `[count, 4]`, with 255 as full, to RGB `[count, 3]` by the usual formula.
    static func rgb(cmyk: [UInt8]) -> [UInt8] {
        let count = cmyk.count / 4
        return [UInt8](unsafeUninitializedCapacity: count * 3) { buffer, initialized in
            imaging_cmyk_to_rgb(cmyk, count, buffer.baseAddress)
            initialized = count * 3
        }
    }

    /// Resizes an image to `width` × `height` pixels, with Pillow's antialiasing.
    package static func resize(
        _ image: RGBImage, width: Int, height: Int, filter: ImageTransform.Filter = .bicubic,
        kernels: Kernels = .fastest
    ) -> RGBImage {
        precondition(width > 0 && height > 0, "the new size is \(width) x \(height) pixels")
        let count = width * height * 3
        var status: Int32 = 0
        let pixels = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            status = imaging_resize(
                image.pixels, Int32(image.width), Int32(image.height), buffer.baseAddress,
                Int32(width), Int32(height),
                filter == .bilinear ? IMAGING_BILINEAR : IMAGING_BICUBIC, kernels.choice)
            initialized = count
        }
        precondition(status == 0, "out of memory while resizing to \(width) x \(height) pixels")
        return RGBImage(width: width, height: height, pixels: pixels)
    }

    /// Converts samples to planes: `output[c, i] = table[c, pixels[i, c]]`, with `table`
    /// `[3, 256]`.
    static func spread(
        _ image: RGBImage, through table: [Float], into output: UnsafeMutableBufferPointer<Float>
    ) {
        precondition(
            output.count == image.pixels.count && table.count == 3 * 256,
            "the output has \(output.count) places for \(image.pixels.count) samples")
        imaging_to_planes(
            image.pixels, image.width * image.height, table, output.baseAddress)
    }
}
