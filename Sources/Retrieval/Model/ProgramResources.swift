internal import Foundation
package import SystemPackage

/// The resources of the program: the folders and files that the build copies beside it.
package enum ProgramResources {
    /// Returns the path of a target's resource beside the program, or nil if the program was copied
    /// without it.
    ///
    /// `Bundle.module` would end the process in this case.
    ///
    /// - Parameters:
    ///   - path: A path within the resources, such as `Models/wardrobe`.
    ///   - target: The target of the package that has the resources.
    package static func path(_ path: String, of target: String) -> FilePath? {
        let program = Bundle.main.executableURL?.resolvingSymlinksInPath()
            .deletingLastPathComponent()
        for beside in [Bundle.main.bundleURL, program].compactMap({ $0 }) {
            for bundle in ["resources", "bundle", "bundle/Contents/Resources"] {
                let found = beside.appending(path: "swift-albef_\(target).\(bundle)")
                    .appending(path: path)
                if FileManager.default.fileExists(atPath: found.path) {
                    return FilePath(found.path)
                }
            }
        }
        return nil
    }
}
