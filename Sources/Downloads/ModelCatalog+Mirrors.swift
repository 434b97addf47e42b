public import Foundation

/// Catalogues with the same files at other addresses.
extension ModelCatalog {
    /// Returns the catalogue with all files on a mirror.
    ///
    /// A mirror has a folder of files under the name of its entry, and every other file under its
    /// own name. `albef models pull --output` creates this layout.
    ///
    /// - Parameter base: the `http` or `https` address of the mirror.
    public func mirrored(at base: URL) -> ModelCatalog {
        ModelCatalog(
            entries: entries.map { entry in
                entry.moved { file in
                    base.appending(
                        path: entry.isFolder ? "\(entry.name)/\(file.name)" : file.name)
                }
            })
    }

    /// Returns the catalogue with a mirror of Hugging Face; other files keep their addresses.
    ///
    /// - Parameter endpoint: the address that replaces `https://huggingface.co`.
    public func fetched(fromHuggingFaceAt endpoint: URL) -> ModelCatalog {
        ModelCatalog(
            entries: entries.map { entry in
                entry.moved { file in
                    file.address.absoluteString.hasPrefix("\(Self.huggingFace)/")
                        ? endpoint.appending(path: file.address.path) : file.address
                }
            })
    }

    /// Returns the catalogue with the mirror that an environment names.
    ///
    /// `ALBEF_MIRROR` is the address of a mirror of all files, `HF_ENDPOINT` that of a mirror of
    /// Hugging Face. The first one has precedence. No token is sent to either.
    ///
    /// - Parameter environment: the variables; those of this process by default.
    /// - Throws: ``ModelNameError`` if a variable is set but is not an `http` or `https` address.
    public func fetched(
        in environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws -> ModelCatalog {
        func address(_ name: String) throws -> URL? {
            guard let text = environment[name], !text.isEmpty else { return nil }
            guard let address = Self.address(text) else {
                throw ModelNameError(.address(text, variable: name))
            }
            return address
        }
        if let mirror = try address("ALBEF_MIRROR") { return mirrored(at: mirror) }
        guard let endpoint = try address("HF_ENDPOINT") else { return self }
        return fetched(fromHuggingFaceAt: endpoint)
    }

    /// Parses the `http` or `https` address of a mirror; nil if the text is not one.
    public static func address(_ text: String) -> URL? {
        guard let address = URL(string: text), let scheme = address.scheme?.lowercased(),
            ["http", "https"].contains(scheme), address.host?.isEmpty == false
        else { return nil }
        return address
    }
}
