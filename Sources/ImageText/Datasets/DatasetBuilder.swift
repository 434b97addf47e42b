internal import SystemPackage

/// The annotations' own identifier of an image, a number or a string.
enum ImageID: Hashable {
    case number(Int)
    case text(ExactText)
}

/// Gathers entries into images; entries about one file become one image.
struct DatasetBuilder {
    private(set) var images: [CaptionedImage] = []
    private var root = FilePath()
    private var positionByPath: [FilePath: Int] = [:]
    private var nextID = 0
    // These two are reset for each annotation file.
    private var positionByName: [ExactText: Int] = [:]
    private var idByImageID: [ImageID: Int] = [:]

    /// Starts an annotation file whose relative paths begin at `root`.
    mutating func begin(root: FilePath) {
        self.root = root
        positionByName = [:]
        idByImageID = [:]
    }

    /// Adds captions to the image of this name.
    mutating func add(name: String, captions: [String], imageID: ImageID?) {
        // Most files repeat an image's name verbatim, and comparing paths is slower.
        let key = ExactText(name)
        if let position = positionByName[key] {
            extend(position, captions, imageID)
        } else {
            let path = root.pushing(FilePath(name)).lexicallyNormalized()
            positionByName[key] = add(path: path, captions: captions, imageID: imageID)
        }
    }

    /// Adds captions to the image at this path, and returns its position.
    @discardableResult
    mutating func add(path: FilePath, captions: [String], imageID: ImageID? = nil) -> Int {
        if let position = positionByPath[path] {
            extend(position, captions, imageID)
            return position
        }
        let position = images.count
        let id = imageID.flatMap { idByImageID[$0] } ?? nextID
        if id == nextID { nextID += 1 }
        if let imageID { idByImageID[imageID] = id }
        positionByPath[path] = position
        images.append(CaptionedImage(path: path, captions: captions, id: id))
        return position
    }

    private mutating func extend(_ position: Int, _ captions: [String], _ imageID: ImageID?) {
        images[position].captions += captions
        if let imageID, idByImageID[imageID] == nil {
            idByImageID[imageID] = images[position].id
        }
    }
}
