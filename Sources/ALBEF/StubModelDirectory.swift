public import SystemPackage
public struct ModelDirectory: Sendable {
    public var vocabulary: FilePath
    public var fingerprint: String
    public static func open(_ p: FilePath) throws -> ModelDirectory { fatalError() }
}
public import Torch
extension ALBEFModel {
    public convenience init(_ d: ModelDirectory, imageSize: Int?, device: Device) throws { fatalError() }
}
