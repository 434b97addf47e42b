public import Foundation

/// The same catalogue with its files elsewhere.
extension ModelCatalog {
    /// The same files on a mirror.
    ///
    /// A mirror keeps a folder of files under the name of the entry, and all other files under
    /// their own names: as `albef models pull --output` lays them out.
    ///
    /// - Parameter base: an `http` or `https` address.
    public func mirrored(at base: URL) -> ModelCatalog {
        ModelCatalog(
            entries: entries.map { entry in
                entry.moved { file in
                    base.appending(
                        path: entry.isFolder ? "\(entry.name)/\(file.name)" : file.name)
                }
            })
    }

    /// The same catalogue with a mirror of Hugging Face; other files stay where they are.
    ///
    /// - Parameter endpoint: what stands for `https://huggingface.co`.
    public func fetched(fromHuggingFaceAt endpoint: URL) -> ModelCatalog {
        ModelCatalog(
            entries: entries.map { entry in
                entry.moved { file in
                    file.address.absoluteString.hasPrefix("\(Self.huggingFace)/")
                        ? endpoint.appending(path: file.address.path) : file.address
                }
            })
    }

    /// The same catalogue as an environment wants it.
    ///
    /// `ALBEF_MIRROR` is the address of a mirror of everything, `HF_ENDPOINT` that of one of Hugging
    /// Face. Neither gets a token of any kind.
    ///
    /// - Throws: ``ModelNameError`` if a variable is set and is no `http` or `https` address.
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

    /// The address of a mirror; nil if a text is none.
    public static func address(_ text: String) -> URL? {
        guard let address = URL(string: text), let scheme = address.scheme?.lowercased(),
            ["http", "https"].contains(scheme), address.host?.isEmpty == false
        else { return nil }
        return address
    }
}
