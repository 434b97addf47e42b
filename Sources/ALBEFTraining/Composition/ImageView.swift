import ImageText
import SystemPackage

/// An image, or a part of it, with the requests about it.
struct ImageView: Sendable {
    /// The image's file.
    let path: FilePath
    /// The part of it; nil for all.
    let box: CropBox?
    /// Places of the requests about it, in order.
    private(set) var requests: [Int]

    /// Whether one decoded image serves both.
    func isFromSameImage(as other: ImageView) -> Bool {
        path == other.path && (box == nil) == (other.box == nil)
    }

    /// The images of requests, each once, the parts of one together.
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
        // By the image, whole ones before parts; the sort is made stable by the place.
        let order = views.indices.sorted { a, b in
            func rank(_ view: Int) -> (Int, Int, Int) {
                (firstOfPath[views[view].path] ?? 0, views[view].box == nil ? 0 : 1, view)
            }
            return rank(a) < rank(b)
        }
        return order.map { views[$0] }
    }
}
