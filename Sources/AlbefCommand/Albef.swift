@main struct Albef { static func main() {} }
