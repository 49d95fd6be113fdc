/// An HTTP request as far as a signature covers it, before it is sent or after it was received.
public struct SignableRequest: Sendable {
  /// `GET`, `POST`, …
  public var method: String
  /// The path as it stands on the request line: percent-encoded, without the query.
  public var path: String
  /// The query as it stands on the request line: percent-encoded, without the `?`; empty for none.
  public var query: String
  /// Every header, `Host` included; names in any case, repeated ones in order.
  public var headers: [(name: String, value: String)]
  /// The body.
  public var body: [UInt8]

  /// Makes a request.
  public init(
    method: String, path: String = "/", query: String = "", headers: [(name: String, value: String)], body: [UInt8] = []
  ) {
    self.method = method
    self.path = path
    self.query = query
    self.headers = headers
    self.body = body
  }

  /// The first value of a header, `nil` where it is missing.
  ///
  /// - Parameter name: in lower case.
  public func header(_ name: String) -> String? {
    headers.first { $0.name.lowercased() == name }?.value
  }
}
