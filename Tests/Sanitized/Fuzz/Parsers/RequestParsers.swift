extension Parser {
    /// The bodies of requests to the service.
    static let requests = [
        Parser("request") { bytes in _ = try JSONScan(bytes).sizes },
        // The value of Content-Type, and after a zero byte the body.
        Parser("multipart") { bytes in
            let parts = bytes.parts(2)
            guard let boundary = MultipartBody.boundary(of: try parts[0].text()) else {
                throw Problem(.invalidRequest, "no boundary")
            }
            let body = try MultipartBody(parts[1], boundary: boundary)
            guard body.parts.count <= MultipartBody.maximumParts else {
                fatalError("a form has more parts than it may")
            }
        },
    ]
}
