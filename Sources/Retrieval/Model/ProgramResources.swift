internal import Foundation
package import SystemPackage

/// What comes with the program: the folders that the build copies beside it.
package enum ProgramResources {
    /// A folder of a target's resources, beside the program; nil if the program was copied without
    /// them.
    ///
    /// `Bundle.module` would end the process then.
    ///
    /// - Parameters:
    ///   - path: a path in the resources, such as `Models/wardrobe`.
    ///   - target: the target of the package whose resources they are.
    package static func folder(_ path: String, of target: String) -> FilePath? {
        let program = Bundle.main.executableURL?.resolvingSymlinksInPath()
            .deletingLastPathComponent()
        for beside in [Bundle.main.bundleURL, program].compactMap({ $0 }) {
            for bundle in ["resources", "bundle", "bundle/Contents/Resources"] {
                let folder = beside.appending(path: "swift-albef_\(target).\(bundle)")
                    .appending(path: path)
                if FileManager.default.fileExists(atPath: folder.path) {
                    return FilePath(folder.path)
                }
            }
        }
        return nil
    }
}
