public import ImageText
import SystemPackage

extension LabelledDataset {
    /// Creates a data set of a folder with one subfolder per class, the layout of torchvision's
    /// `ImageFolder`.
    ///
    /// A class has the images of its subfolder at any depth.
    ///
    /// - Parameter scan: The images of the folder. Those outside of subfolders belong to no class and
    ///   are left out.
    /// - Complexity: O(n) for n images.
    public init(_ scan: FolderScan) {
        self.init(
            images: scan.files.compactMap { file in
                var rest = file.path
                guard rest.removePrefix(scan.root), rest.components.count > 1,
                    let label = rest.components.first
                else { return nil }
                return LabelledImage(path: file.path, label: label.string)
            })
    }
}
