/// One request to an AWS service, ready to be sent.
public struct HTTPRequest: Sendable {
  /// The methods AWS's JSON and query protocols use.
  public enum Method: String, Sendable {
    /// Without a body.
    case get = "GET"
    /// With a body, maybe an empty one.
    case post = "POST"
    /// Without a body here; the instance's metadata service asks for it.
    case put = "PUT"
  }

  /// The method.
  public var method: Method
  /// An absolute http or https URL.
  public var url: String
  /// Headers beside those libcurl adds (`Host`, `Accept`, `Content-Length`).
  public var headers: [(name: String, value: String)]
  /// The body; sent with `POST` alone.
  public var body: [UInt8]
  /// Bound of the whole exchange in ms; `nil` takes the transport's.
  public var timeoutMilliseconds: Int?

  /// Makes a request.
  public init(
    method: Method, url: String, headers: [(name: String, value: String)] = [], body: [UInt8] = [],
    timeoutMilliseconds: Int? = nil
  ) {
    self.method = method
    self.url = url
    self.headers = headers
    self.body = body
    self.timeoutMilliseconds = timeoutMilliseconds
  }
}

/// A complete answer, of whatever status.
public struct HTTPResponse: Sendable {
  /// 200–599; interim answers are skipped.
  public var status: Int
  /// In the order received, names as received.
  public var headers: [(name: String, value: String)]
  /// The whole body.
  public var body: [UInt8]
  /// When, and in which phases.
  public var timings: TransferTimings

  /// Makes a response.
  public init(status: Int, headers: [(name: String, value: String)], body: [UInt8], timings: TransferTimings) {
    self.status = status
    self.headers = headers
    self.body = body
    self.timings = timings
  }

  /// The first value of a header, `nil` where it is missing.
  ///
  /// - Parameter name: in lower case.
  public func header(_ name: String) -> String? { headers.first { $0.name.lowercased() == name }?.value }
}

/// Sends requests. ``CurlTransport`` is the real one.
public protocol HTTPTransport: Sendable {
  /// Sends one request and waits for its whole answer; a cancelled task ends the transfer.
  ///
  /// - Throws: ``TransferError`` where no complete answer came; an HTTP status is never an error here.
  func send(_ request: HTTPRequest) async throws(TransferError) -> HTTPResponse
}
