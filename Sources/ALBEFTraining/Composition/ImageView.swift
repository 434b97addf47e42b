import ImageText
import SystemPackage

/// An image, or a part of it, with the requests that need it.
struct ImageView: Sendable {
    /// The image's file.
    let path: FilePath
    /// The part of the image; nil for the whole image.
    let box: CropBox?
    /// The indices of the requests that need it, in order.
    private(set) var requests: [Int]

    /// Returns whether one decoded image can serve both views.
    func isFromSameImage(as other: ImageView) -> Bool {
        path == other.path && (box == nil) == (other.box == nil)
    }

    /// Returns the distinct views of some requests, grouped by image.
    static func of(_ requests: [TextScorer.Request]) -> [ImageView] {
        struct Part: Hashable {
            let path: FilePath
            let box: CropBox?
        }
        var views: [ImageView] = []
        var places: [Part: Int] = [:]
        var firstOfPath: [FilePath: Int] = [:]
        for (index, request) in requests.enumerated() {
            let part = Part(path: request.image, box: request.box)
            if let place = places[part] {
                views[place].requests.append(index)
            } else {
                places[part] = views.count
                if firstOfPath[part.path] == nil { firstOfPath[part.path] = views.count }
                views.append(ImageView(path: part.path, box: part.box, requests: [index]))
            }
        }
        // Sort by image, whole images before parts; the index makes the sort stable.
        let order = views.indices.sorted { a, b in
            func rank(_ view: Int) -> (Int, Int, Int) {
                (firstOfPath[views[view].path] ?? 0, views[view].box == nil ? 0 : 1, view)
            }
            return rank(a) < rank(b)
        }
        return order.map { views[$0] }
    }
}
