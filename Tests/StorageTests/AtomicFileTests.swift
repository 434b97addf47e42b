import Storage
import SystemPackage
import Testing

@Suite("Files that appear complete or not at all")
struct AtomicFileTests {
    /// Runs a test in a folder of its own.
    private func withFolder(_ body: (FilePath) throws -> Void) throws {
        var template = Array("/tmp/albef-storage-XXXXXX".utf8CString)
        let folder = try #require(mkdtemp(&template).map { FilePath(String(cString: $0)) })
        defer {
            for name in (try? FileSystem.names(in: folder)) ?? [] {
                let path = folder.appending(name)
                if FileSystem.isDirectory(path) {
                    let inside = (try? FileSystem.names(in: path)) ?? []
                    FileSystem.removeDirectory(path, files: inside)
                } else {
                    unlink(path.string)
                }
            }
            rmdir(folder.string)
        }
        try body(folder)
    }

    private func text(_ path: FilePath) throws -> String {
        String(decoding: try path.contents(), as: UTF8.self)
    }

    private func create(_ path: FilePath, _ text: String) throws {
        let file = try FileDescriptor.open(
            path, .writeOnly, options: [.create, .exclusiveCreate], permissions: .ownerReadWrite)
        try file.closeAfter { _ = try file.writeAll(text.utf8) }
    }

    @Test("What a killed writer left is used again, and nothing of it stays")
    func leftover() throws {
        try withFolder { folder in
            let path = folder.appending("file")
            try create(folder.appending(".file.0.tmp"), "the long rest of a killed writer")
            try AtomicFile.write("new".utf8, to: path)
            #expect(try text(path) == "new")
            #expect(try FileSystem.names(in: folder) == ["file"])
        }
    }

    @Test("Two writers of one path have files of their own, and the last to commit remains")
    func twoWriters() throws {
        try withFolder { folder in
            let path = folder.appending("file")
            let first = try AtomicFile(path)
            let second = try AtomicFile(path)
            for (file, text) in [(first, "first"), (second, "second")] {
                try Array(text.utf8).withUnsafeBytes { try file.write($0) }
            }
            #expect(try FileSystem.names(in: folder) == [".file.0.tmp", ".file.1.tmp"])
            try first.commit()
            #expect(try text(path) == "first")
            // The name of the first is free, but its file is the committed one.
            try AtomicFile.write("third".utf8, to: path)
            try second.commit()
            #expect(try text(path) == "second")
            #expect(try FileSystem.names(in: folder) == ["file"])
        }
    }

    @Test("Without a commit, the former file stays and the temporary one goes")
    func released() throws {
        try withFolder { folder in
            let path = folder.appending("file")
            try AtomicFile.write("old".utf8, to: path)
            do {
                let file = try AtomicFile(path)
                try Array("new".utf8).withUnsafeBytes { try file.write($0) }
            }
            #expect(try text(path) == "old")
            #expect(try FileSystem.names(in: folder) == ["file"])
        }
    }

    @Test("A link, a second name of another file and a folder are not used as temporary files")
    func foreign() throws {
        try withFolder { folder in
            let (path, other) = (folder.appending("file"), folder.appending("other"))
            try create(other, "other")
            #expect(symlink("other", folder.appending(".file.0.tmp").string) == 0)
            #expect(link(other.string, folder.appending(".file.1.tmp").string) == 0)
            #expect(mkdir(folder.appending(".file.2.tmp").string, 0o755) == 0)
            try AtomicFile.write("new".utf8, to: path)
            #expect(try text(path) == "new")
            #expect(try text(other) == "other")
            #expect(
                try FileSystem.names(in: folder)
                    == [".file.0.tmp", ".file.1.tmp", ".file.2.tmp", "file", "other"])
        }
    }

    @Test("A directory that a killed writer left is emptied and used again, one in use is not")
    func directories() throws {
        try withFolder { folder in
            let path = folder.appending("model")
            let left = folder.appending(".model.0.tmp")
            #expect(mkdir(left.string, 0o755) == 0)
            try create(left.appending("weights"), "half")
            let first = try TemporaryFile(directoryBeside: path)
            #expect(first.path == left)
            #expect(try FileSystem.names(in: left) == [])
            try create(left.appending("weights"), "whole")
            let second = try TemporaryFile(directoryBeside: path)
            #expect(second.path == folder.appending(".model.1.tmp"))
            #expect(try text(left.appending("weights")) == "whole")
            withExtendedLifetime((first, second)) {}
        }
    }
}
