internal import SystemPackage

/// The treatment of benchmark items whose image does not exist.
public enum MissingImages: Sendable, Hashable {
    /// Reading throws an error that names the first such item and counts all.
    case refused
    /// The items are left out and counted.
    case skipped

    /// Returns the items whose images exist.
    ///
    /// - Parameters:
    ///   - items: The items of one file.
    ///   - file: The annotation file.
    ///   - limit: The number of items to keep from the beginning; 0 for all.
    ///   - images: Returns the images of an item.
    /// - Throws: ``DatasetError``, which names the first missing image and its item.
    /// - Complexity: O(*n*) for *n* items; each image is looked up once.
    func filter<Item: BenchmarkItem>(
        _ items: [Item], of file: FilePath, limit: Int, images: (Item) -> [FilePath]
    ) throws(DatasetError) -> (items: [Item], missing: Int) {
        var known: [FilePath: Bool] = [:]
        func exists(_ image: FilePath) -> Bool {
            if let known = known[image] { return known }
            let exists = ImageFile.exists(image)
            known[image] = exists
            return exists
        }
        var found: [Item] = []
        var first: (item: Item, image: FilePath)?
        var missing = 0
        for item in items {
            if limit > 0, found.count + (self == .refused ? missing : 0) == limit { break }
            if let image = images(item).first(where: { !exists($0) }) {
                first = first ?? (item, image)
                missing += 1
            } else {
                found.append(item)
            }
        }
        if self == .refused, let first {
            throw .missingImage(
                first.item.file, entry: first.item.entry, image: first.image, items: missing,
                of: missing + found.count)
        }
        return (found, missing)
    }
}

/// An item that records its place in an annotation file.
protocol BenchmarkItem {
    var file: FilePath { get }
    var entry: String { get }
}

extension ChoiceItem: BenchmarkItem {}
extension PairItem: BenchmarkItem {}
