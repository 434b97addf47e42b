internal import CImaging

/// Arithmetic on whole images: turning, resampling, and spreading into planes.
package enum Pixels {
    /// Which of the resampling routines to use; all give the same pixels.
    package enum Kernels: Sendable {
        /// The fastest this processor has.
        case fastest
        /// Those of any processor.
        case portable
    }

    /// Copies `[height, width, 3]` as EXIF's `orientation` says it is to be seen.
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

    /// The part of an image that begins at a place.
    static func cropped(
        _ image: RGBImage, left: Int, top: Int, width: Int, height: Int
    ) -> RGBImage {
        precondition(
            left >= 0 && top >= 0 && left + width <= image.width && top + height <= image.height,
            "a part that is not inside the image")
        var pixels: [UInt8] = []
        pixels.reserveCapacity(width * height * 3)
        for row in top..<top + height {
            let start = (row * image.width + left) * 3
            pixels += image.pixels[start..<start + width * 3]
        }
        return RGBImage(width: width, height: height, pixels: pixels)
    }

    /// Turns `[count, 4]` of ink, 255 full, into `[count, 3]` by the usual formula.
    static func rgb(cmyk: [UInt8]) -> [UInt8] {
        let count = cmyk.count / 4
        return [UInt8](unsafeUninitializedCapacity: count * 3) { buffer, initialized in
            imaging_cmyk_to_rgb(cmyk, count, buffer.baseAddress)
            initialized = count * 3
        }
    }

    /// Pillow's antialiased resize to `width` x `height` pixels.
    package static func resize(
        _ image: RGBImage, width: Int, height: Int, filter: ImageTransform.Filter = .bicubic,
        kernels: Kernels = .fastest
    ) -> RGBImage {
        precondition(width > 0 && height > 0, "resizing to \(width) x \(height) pixels")
        let count = width * height * 3
        var status: Int32 = 0
        let pixels = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            status = imaging_resize(
                image.pixels, Int32(image.width), Int32(image.height), buffer.baseAddress,
                Int32(width), Int32(height),
                filter == .bilinear ? IMAGING_BILINEAR : IMAGING_BICUBIC,
                kernels == .fastest ? IMAGING_FASTEST : IMAGING_PORTABLE)
            initialized = count
        }
        precondition(status == 0, "no memory to resize to \(width) x \(height) pixels")
        return RGBImage(width: width, height: height, pixels: pixels)
    }

    /// `output[c, i] = table[c, pixels[i, c]]`, with `table` `[3, 256]`.
    static func spread(
        _ image: RGBImage, through table: [Float], into output: UnsafeMutableBufferPointer<Float>
    ) {
        precondition(
            output.count == image.pixels.count && table.count == 3 * 256,
            "\(output.count) places for \(image.pixels.count) samples")
        imaging_to_planes(
            image.pixels, image.width * image.height, table, output.baseAddress)
    }
}
