// Loads and resizes each image whose path is on a line of standard input.
//
//     load-images SIDE REPEATS [full] < paths
//
// Prints one line per image, tab-separated: the path, the milliseconds of CPU time for loading and
// resizing (the best of REPEATS), and, if SIDE is negative, the bytes of the resized image in
// hexadecimal. With `full`, JPEG is always decoded at full size. For a failure, the line has the
// error instead.
import ImageText
import SystemPackage

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

func cpuSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}

let arguments = CommandLine.arguments
guard arguments.count >= 3, let signed = Int(arguments[1]), let repeats = Int(arguments[2]) else {
    print("usage: load-images SIDE REPEATS [full] < paths")
    exit(2)
}
let side = abs(signed)
let full = arguments.dropFirst(3).contains("full")
let loader = ImageLoader(targetSide: full ? nil : side)
let transform = ImageTransform(side: side)
// One slot of a batch, reused for every image as in a program that encodes many.
let slot = UnsafeMutableBufferPointer<Float>.allocate(capacity: transform.count)
let digits = Array("0123456789abcdef".utf8)

while let path = readLine() {
    do throws(ImageError) {
        var best = Double.infinity
        for _ in 0..<max(1, repeats) {
            let start = cpuSeconds()
            transform(try loader.load(FilePath(path)), into: slot)
            best = min(best, cpuSeconds() - start)
        }
        var line = "\(path)\t\(best * 1e3)"
        if signed < 0 {
            let image = ImageTransform.resized(try loader.load(FilePath(path)), to: (side, side))
            line += "\t"
            line += String(
                decoding: image.pixels.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] },
                as: UTF8.self)
        }
        print(line)
    } catch {
        print("\(path)\terror\t\(error)")
    }
}
