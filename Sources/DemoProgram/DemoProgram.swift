import CommandSupport
import Demo

/// The program of `make demo`: the command `albef demo` alone.
///
/// It needs neither the service nor the training, which take as long to build as everything else.
@main
enum DemoProgram {
    @MainActor
    static func main() async { await CommandProgram.run(DemoCommand.self) }
}
