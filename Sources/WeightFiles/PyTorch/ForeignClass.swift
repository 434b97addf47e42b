/// Which classes a pickle may name although nothing is known of them.
///
/// What is not in the way of reading tensors is passed over: the options of a program, counters,
/// dates, paths. Nothing that is named is ever run, so this decides only what is called an attack.
/// A file that names a function of the operating system, the interpreter or PyTorch is not a mere
/// checkpoint, and its reader should hear of that.
enum ForeignClass {
    private static let maximumLength = 256

    /// Modules, with all that are inside them, of which no name belongs into a checkpoint.
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

    /// Classes of such modules that are plain values, or settings of an optimizer.
    private static let harmless: Set<String> = [
        "builtins.bool", "builtins.bytearray", "builtins.bytes", "builtins.complex",
        "builtins.dict", "builtins.float", "builtins.frozenset", "builtins.int", "builtins.list",
        "builtins.object", "builtins.range", "builtins.set", "builtins.slice", "builtins.str",
        "builtins.tuple",
    ]

    /// Whether objects of a class are passed over instead of ending the import.
    static func isHarmless(module: String, name: String) -> Bool {
        guard module.utf8.count + name.utf8.count <= maximumLength, isDotted(module),
            // Classes inside of classes have dots; what reaches for their methods is no value.
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
