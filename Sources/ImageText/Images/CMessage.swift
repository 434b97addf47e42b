internal import CImaging

/// Room for what a C function has to say of a failure.
struct CMessage {
    /// The characters, ended by a zero.
    var characters = [CChar](repeating: 0, count: Int(IMAGING_MESSAGE_SIZE))

    /// What was said.
    var text: String {
        String(decoding: characters.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
