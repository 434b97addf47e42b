/// The rule for classes that a pickle may name although this module does not implement them.
///
/// Many checkpoints contain objects beside their tensors, such as the options of a program,
/// counters, dates and paths. The reader skips these. It never runs any code of a file, so the rule
/// only decides which files are reported as attacks. A file that names a function of the operating
/// system, the interpreter or PyTorch is more than a checkpoint, and its user should learn of it.
enum ForeignClass {
    private static let maximumLength = 256

    /// The modules whose names, including those of their submodules, do not belong in a checkpoint.
    private static let refusedModules: Set<String> = [
        "__builtin__", "_ctypes", "_operator", "_pickle", "_posixsubprocess", "_socket", "asyncio",
        "bdb", "builtins", "cPickle", "cProfile", "cloudpickle", "code", "codeop", "commands",
        "concurrent", "ctypes", "dill", "distutils", "doctest", "ensurepip", "ftplib", "gc", "http",
        "httplib", "imp", "importlib", "inspect", "io", "joblib", "linecache", "marshal", "mmap",
        "multiprocessing", "nt", "operator", "os", "pdb", "pickle", "pickletools", "pip", "pkgutil",
        "popen2", "posix", "posixpath", "profile", "pty", "pydoc", "requests", "runpy", "select",
        "setuptools", "shelve", "shutil", "signal", "site", "smtplib", "socket", "socketserver",
        "ssl", "subprocess", "sys", "sysconfig", "tempfile", "test", "threading", "timeit", "torch",
        "torchvision", "trace", "urllib", "urllib2", "venv", "webbrowser", "xmlrpc", "zipimport",
    ]

    /// The classes of these modules that are plain values.
    private static let harmless: Set<String> = [
        "builtins.bool", "builtins.bytearray", "builtins.bytes", "builtins.complex",
        "builtins.dict", "builtins.float", "builtins.frozenset", "builtins.int", "builtins.list",
        "builtins.object", "builtins.range", "builtins.set", "builtins.slice", "builtins.str",
        "builtins.tuple",
    ]

    /// Returns whether the reader skips objects of a class instead of refusing the file.
    static func isHarmless(module: String, name: String) -> Bool {
        guard module.utf8.count + name.utf8.count <= maximumLength, isDotted(module),
            // A nested class has dots in its name. A name with a component such as `__init__` is
            // that of a method, which is not a value.
            isDotted(name), !name.split(separator: ".").contains(where: { $0.hasPrefix("__") })
        else { return false }
        let top = module.prefix { $0 != "." }
        let plain = top == "__builtin__" ? "builtins" + module.dropFirst(top.count) : module
        return !refusedModules.contains(String(top)) || harmless.contains("\(plain).\(name)")
            || module.hasPrefix("torch.optim.")
    }

    private static func isDotted(_ text: String) -> Bool {
        text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy(isIdentifier)
    }

    private static func isIdentifier(_ text: Substring) -> Bool {
        guard let first = text.unicodeScalars.first else { return false }
        return (first == "_" || first.properties.isXIDStart)
            && text.unicodeScalars.allSatisfy(\.properties.isXIDContinue)
    }
}
