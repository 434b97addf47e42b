import Foundation
import SystemPackage
import TestSupport
import Testing
import Yams

@Suite("Examples")
struct ExampleTests {
    private static let folder = Fixtures.repository.appending("Examples")

    @Test func everyExampleIsListed() throws {
        let page = try Pages.text(Self.folder.appending("README.md"))
        let links = page.matches(of: /\]\(([^)\s:]+)\)/).map { String($0.output.1) }
        for name in try FileManager.default.subpathsOfDirectory(atPath: Self.folder.string) {
            let path = Self.folder.pushing(FilePath(name))
            var isFolder: ObjCBool = false
            _ = FileManager.default.fileExists(atPath: path.string, isDirectory: &isFolder)
            let isHidden = name.split(separator: "/").contains { $0.hasPrefix(".") }
            guard !isFolder.boolValue, !isHidden, name != "README.md", !name.hasPrefix("library/")
            else { continue }
            #expect(links.contains(name), "Examples/README.md does not list \(name)")
        }
    }

    // MARK: The package of Examples/library

    /// The package says the same as the targets of the root package, which the tests build and run.
    @Test func libraryPackageHasTheProgramsThatAreTested() throws {
        let library = Self.folder.appending("library")
        let sources = library.appending("Sources")
        let names = try FileManager.default.contentsOfDirectory(atPath: sources.string)
        #expect(names.count == 3)
        let own = try Pages.text(library.appending("Package.swift"))
        let root = try Pages.text(Fixtures.repository.appending("Package.swift"))
        for name in names {
            let program = try Pages.text(sources.appending(name).appending("main.swift"))
            let imported = Set(ImportTests.imports(of: program)).subtracting(Layers.system)
            #expect(try PackageDescription(own).dependencies(of: name) == imported)
            #expect(try PackageDescription(root).dependencies(of: "example-\(name)") == imported)
            let place = #"path: "Examples/library/Sources/\#(name)", packageAccess: false"#
            #expect(root.contains(place))
            for module in imported where module != "SystemPackage" {
                #expect(
                    root.contains(".library(name: \"\(module)\", targets: [\"\(module)\"])"),
                    "\(name) imports \(module), which is no product")
            }
        }
    }

    // MARK: Command lines

    @Test func scriptsAndUnitsCallCommandsThatExist() throws {
        let help = try CommandHelp()
        var count = 0
        for name in try FileManager.default.subpathsOfDirectory(atPath: Self.folder.string) {
            let path = Self.folder.pushing(FilePath(name))
            guard let text = try? Pages.text(path), !name.hasSuffix(".md") else { continue }
            for line in Self.commandLines(in: text) {
                count += 1
                if let fault = help.fault(ShellWord.words(of: line)) {
                    Issue.record("Examples/\(name): albef \(line): \(fault)")
                }
            }
        }
        #expect(count > 12, "command lines are not found any more")
    }

    /// What follows `albef` where a script, a unit or a comment begins with it or quotes it.
    private static func commandLines(in text: String) -> [String] {
        let joined = text.replacing(/\\\n[# ]*/, with: "")
        let line =
            #/
            (?m) ^ (?: \#\ {2,} | ExecStart= | exec\ (?: srun\ .*? )? | \ + )?
            (?: /usr/local/bin/ | "\$ )? albef "? \  (\S.*) $
            /#
        return joined.matches(of: line).map { String($0.output.1) }
            + joined.matches(of: /'albef ([^'\n]+)'/).map { String($0.output.1) }
    }

    @Test func commandLinesOfScriptsAreRead() {
        let text = """
            # A sentence of which albef is a part.
            #   albef search one  # a comment
            ExecStart=/usr/local/bin/albef serve --port 1
            exec srun --ntasks=2 \\
                albef plan
                albef pretrain --run r \\
                --resume
            "$albef" models list
            # with 'albef index add' or --wrap 'albef index merge a'
            """
        #expect(
            Self.commandLines(in: text) == [
                "search one  # a comment", "serve --port 1", "plan", "pretrain --run r --resume",
                "models list", "index add", "index merge a",
            ])
    }

    // MARK: Kubernetes

    @Test(
        "A manifest starts a real command, whose files lie on its volumes",
        arguments: [
            "indexing/encode.yaml", "indexing/merge.yaml", "serving/kubernetes.yaml",
            "training/kubernetes-job.yaml",
        ])
    func manifest(_ name: String) throws {
        let help = try CommandHelp()
        let pods = try Self.mappings(of: name).filter { $0["containers"] != nil }
        #expect(pods.count == 1)
        for pod in pods {
            let volumes = Self.names(pod["volumes"])
            for container in pod["containers"]?.sequence ?? [] {
                let words = ["command", "args"].flatMap { Self.texts(container[$0]) }
                #expect(words.first == "/usr/local/bin/albef")
                let line = words.dropFirst().map { ShellWord(text: $0) }
                #expect(help.fault(line) == nil, "\(words)")
                #expect(volumes.isSuperset(of: Self.names(container["volumeMounts"])))
                let places = container["volumeMounts"]?.sequence?.compactMap {
                    $0["mountPath"]?.string
                }
                for file in words.dropFirst() where file.hasPrefix("/") {
                    #expect(
                        places?.contains { file == $0 || file.hasPrefix("\($0)/") } == true,
                        "\(file) is on no volume")
                }
            }
        }
    }

    @Test func probesAskForPathsOfTheService() throws {
        let description = Fixtures.repository.appending("Sources/RetrievalServer/openapi.json")
        let document = try JSONSerialization.jsonObject(
            with: Data(Pages.text(description).utf8))
        let paths = (document as? [String: Any])?["paths"] as? [String: Any] ?? [:]
        var found: Set<String> = []
        for mapping in try Self.mappings(of: "serving/kubernetes.yaml") {
            for probe in ["startupProbe", "readinessProbe", "livenessProbe"] {
                guard let path = mapping[probe]?["httpGet"]?["path"]?.string else { continue }
                found.insert(probe)
                let operation = paths[path] as? [String: Any]
                #expect(operation?["get"] != nil, "\(probe) asks for \(path)")
                #expect(mapping[probe]?["httpGet"]?["port"]?.string == "http")
            }
            if mapping["image"] != nil {
                #expect(Self.names(mapping["ports"]) == ["http"])
            }
        }
        #expect(found.count == 3)
    }

    @Test func theServiceFindsTheDeploymentAndItsStores() throws {
        let documents = try Self.documents("serving/kubernetes.yaml")
        func document(_ kind: String) throws -> Node {
            try #require(documents.first { $0["kind"]?.string == kind })
        }
        let pod = try #require(try document("Deployment")["spec"]?["template"])
        let service = try #require(try document("Service")["spec"])
        #expect(service["selector"] == pod["metadata"]?["labels"])
        #expect(service["ports"]?[0]?["targetPort"]?.string == "http")
        let volumes = pod["spec"]?["volumes"]?.sequence ?? []
        func store(_ kind: String, _ key: String) -> String? {
            volumes.compactMap { $0[kind]?[key]?.string }.first
        }
        let claim = try document("PersistentVolumeClaim")["metadata"]?["name"]?.string
        #expect(claim != nil && store("persistentVolumeClaim", "claimName") == claim)
        let settings = try document("ConfigMap")["metadata"]?["name"]?.string
        #expect(settings != nil && store("configMap", "name") == settings)
        let secret = try #require(store("secret", "secretName"))
        let text = try Pages.text(Self.folder.appending("serving/kubernetes.yaml"))
        #expect(text.contains("kubectl create secret generic \(secret) --from-literal=key="))
        let container = try #require(pod["spec"]?["containers"]?[0]?["securityContext"])
        #expect(container["readOnlyRootFilesystem"]?.bool == true)
    }

    /// The documents of a file of YAML.
    private static func documents(_ name: String) throws -> [Node] {
        let text = try Pages.text(folder.pushing(FilePath(name)))
        let sequence = try Yams.compose_all(yaml: text)
        let nodes = Array(sequence)
        if let error = sequence.error { throw error }
        return nodes
    }

    /// All mappings of a file of YAML, at any depth.
    private static func mappings(of name: String) throws -> [Node] {
        func within(_ node: Node) -> [Node] {
            switch node {
            case .mapping(let mapping): [node] + mapping.values.flatMap(within)
            case .sequence(let sequence): sequence.flatMap(within)
            default: []
            }
        }
        return try documents(name).flatMap(within)
    }

    private static func names(_ list: Node?) -> Set<String> {
        Set(list?.sequence?.compactMap { $0["name"]?.string } ?? [])
    }

    private static func texts(_ list: Node?) -> [String] {
        list?.sequence?.compactMap(\.string) ?? []
    }
}
