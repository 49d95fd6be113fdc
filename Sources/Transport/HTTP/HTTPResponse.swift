public import Latency
public import NIOCore

/// A whole HTTP/1.1 response.
public struct HTTPResponse: Sendable, Equatable {
  /// The status, 100–599.
  public var status: Int
  /// The header lines as received, without the status line and the empty line.
  public var headerLines: ByteBuffer
  /// The body, its chunks joined.
  public var body: ByteBuffer
  /// Whether the connection may be used again.
  public var keepsConnection: Bool
  /// Whether there is a `Set-Cookie` field.
  public var setsCookies: Bool

  /// The first value of the header `name` (any case), without white space around it.
  public func header(_ name: String) -> String? { headers(name).first }

  /// All values of the header `name` (any case) in their order, without white space around them. Folded lines are
  /// joined by blanks.
  public func headers(_ name: String) -> [String] {
    let wanted = name.lowercased()
    var values: [String] = []
    /// Whether the line before belongs to the header.
    var isWanted = false
    for line in String(buffer: headerLines).split(separator: "\r\n") {
      if let first = line.first, first == " " || first == "\t" {
        if isWanted { values[values.count - 1] += " " + Self.trimmed(line) }
        continue
      }
      guard let colon = line.firstIndex(of: ":") else {
        isWanted = false
        continue
      }
      isWanted = line[..<colon].lowercased() == wanted
      if isWanted { values.append(Self.trimmed(line[line.index(after: colon)...])) }
    }
    return values
  }

  private static func trimmed(_ text: Substring) -> String {
    String(text.drop { $0 == " " || $0 == "\t" }.reversed().drop { $0 == " " || $0 == "\t" }.reversed())
  }
}

/// The response to one request, with the instants of both, all taken on the event loop's thread.
///
/// It is a class, so that asynchronous functions pass a reference: a value would be copied at each step and take room
/// in each frame.
public final class HTTPExchange: Sendable {
  /// The answer.
  public let response: HTTPResponse
  /// The instants of both.
  public let stamps: ExchangeStamps

  init(response: HTTPResponse, _ stamps: ExchangeStamps) {
    self.response = response
    self.stamps = stamps
  }

  /// See ``ExchangeStamps/firstByteWrittenAt``.
  public var firstByteWrittenAt: Instant { stamps.firstByteWrittenAt }
  /// See ``ExchangeStamps/firstByteReadAt``.
  public var firstByteReadAt: Instant { stamps.firstByteReadAt }
  /// See ``ExchangeStamps/lastByteReadAt``.
  public var lastByteReadAt: Instant { stamps.lastByteReadAt }
  /// See ``ExchangeStamps/timeToFirstByte``.
  public var timeToFirstByte: Nanoseconds { stamps.timeToFirstByte }
  /// See ``ExchangeStamps/serviceTime``.
  public var serviceTime: Nanoseconds { stamps.serviceTime }
}

/// The instants of one exchange, all taken on the thread that carries its connection.
public struct ExchangeStamps: Sendable, Equatable {
  /// The instant right before the request's first byte was given to the socket.
  public var firstByteWrittenAt: Instant
  /// When the first bytes of the response had been read.
  public var firstByteReadAt: Instant
  /// When the last bytes of the response had been read.
  public var lastByteReadAt: Instant

  /// From the first byte written to the first bytes read.
  public var timeToFirstByte: Nanoseconds { firstByteReadAt - firstByteWrittenAt }

  /// From the first byte written to the last byte read.
  public var serviceTime: Nanoseconds { lastByteReadAt - firstByteWrittenAt }
}
