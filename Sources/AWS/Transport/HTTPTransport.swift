public import Latency

/// One request to an AWS service, ready to be sent.
public struct HTTPRequest: Sendable {
  /// The methods that AWS's JSON and query protocols and its metadata services use.
  public enum Method: String, Sendable {
    /// Without a body.
    case get = "GET"
    /// With a body, maybe an empty one.
    case post = "POST"
    /// Without a body; the instance's metadata service requires it.
    case put = "PUT"
  }

  /// The method.
  public var method: Method
  /// An absolute http or https URL.
  public var url: String
  /// Headers beside those that libcurl adds (`Host`, `Accept`, `Content-Length`).
  public var headers: [(name: String, value: String)]
  /// The body; only `POST` sends it.
  public var body: [UInt8]
  /// The time-out of the whole exchange; `nil` takes the transport's.
  public var timeout: Nanoseconds?

  /// Makes a request.
  public init(
    method: Method, url: String, headers: [(name: String, value: String)] = [], body: [UInt8] = [],
    timeout: Nanoseconds? = nil
  ) {
    self.method = method
    self.url = url
    self.headers = headers
    self.body = body
    self.timeout = timeout
  }
}

/// A complete answer of any status.
public struct HTTPResponse: Sendable {
  /// 200–599; interim answers are skipped.
  public var status: Int
  /// In the order received, names as received.
  public var headers: [(name: String, value: String)]
  /// The whole body.
  public var body: [UInt8]
  /// The instants of the exchange and the lengths of its phases.
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

/// Sends requests. ``CurlTransport`` is the implementation over the network.
public protocol HTTPTransport: Sendable {
  /// Sends one request and waits for its whole answer; a cancelled task ends the transfer.
  ///
  /// - Throws: ``TransferError`` where no complete answer came; an HTTP status is never an error here.
  func send(_ request: HTTPRequest) async throws(TransferError) -> HTTPResponse
}

/// The stamps and the phases of a transfer.
///
/// `sentAt` and `answeredAt` are taken on libcurl's own thread, right before the transfer is handed to libcurl and
/// right after libcurl reports it complete: Swift's task scheduling is not in them. With one transfer at a time they
/// bracket the exchange to some tens of microseconds; concurrent transfers share the thread and delay each other's
/// stamps. The phases are libcurl's own, in steps of 1 µs.
public struct TransferTimings: Sendable, Equatable {
  /// When the transfer began; the name look-up and connecting come after it.
  public var sentAt: Instant
  /// When the whole answer had been read.
  public var answeredAt: Instant
  /// Whether a kept-alive connection was used; if so there are no ``nameLookup``, ``connect`` and ``tls``.
  public var reusedConnection: Bool
  /// Duration of the name look-up, `nil` on a reused connection.
  public var nameLookup: Nanoseconds?
  /// Duration of the TCP handshake, `nil` on a reused connection.
  public var connect: Nanoseconds?
  /// Duration of the TLS handshake, `nil` without TLS and on a reused connection.
  public var tls: Nanoseconds?
  /// From the transfer's start to the answer's first byte.
  public var firstByte: Nanoseconds
  /// From the transfer's start to its end.
  public var total: Nanoseconds

  /// Makes timings.
  public init(
    sentAt: Instant, answeredAt: Instant, reusedConnection: Bool = false, nameLookup: Nanoseconds? = nil,
    connect: Nanoseconds? = nil, tls: Nanoseconds? = nil, firstByte: Nanoseconds = .zero, total: Nanoseconds = .zero
  ) {
    self.sentAt = sentAt
    self.answeredAt = answeredAt
    self.reusedConnection = reusedConnection
    self.nameLookup = nameLookup
    self.connect = connect
    self.tls = tls
    self.firstByte = firstByte
    self.total = total
  }
}
