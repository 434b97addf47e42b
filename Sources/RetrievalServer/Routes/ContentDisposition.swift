/// Makes the header that names a file for the browser (RFC 6266).
enum ContentDisposition {
    /// Returns a header that makes a browser save the file.
    ///
    /// - Parameter name: The file name, in ASCII without quotation marks.
    static func attachment(_ name: String) -> String { "attachment; filename=\"\(name)\"" }

    /// Returns a header that makes a browser show the file, and names it for saving.
    ///
    /// - Parameters:
    ///   - name: The image's name for people, or a path.
    ///   - fileExtension: The extension to add if the name has none.
    static func inline(_ name: String, _ fileExtension: String) -> String {
        let clean = DownloadName.clean(name, fileExtension)
        let plain = String(
            clean.map { character in
                character.isASCII && character != "\"" && character != "%" ? character : "_"
            })
        return "inline; filename=\"\(plain)\"; filename*=UTF-8''\(percentEncoded(clean))"
    }

    private static func percentEncoded(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF")
        return String(
            text.utf8.flatMap { byte -> [Character] in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"),
                    UInt8(ascii: "_"):
                    [Character(UnicodeScalar(byte))]
                default: ["%", digits[Int(byte >> 4)], digits[Int(byte & 15)]]
                }
            })
    }
}
