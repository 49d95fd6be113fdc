public import NIOCore

/// A whole HTTP/1.1 response.
public struct HTTPResponse: Sendable {
  /// 100–599.
  public var status: Int
  /// The header lines as received, without the status line and the empty line.
  public var headerLines: ByteBuffer
  /// The body, its chunks joined.
  public var body: ByteBuffer
  /// Whether the connection may be used again.
  public var keepsConnection: Bool

  /// The first value of the header `name` (any case), without white space around it.
  public func header(_ name: String) -> String? {
    let text = String(buffer: headerLines)
    for line in text.split(separator: "\r\n") {
      guard let colon = line.firstIndex(of: ":"), line[..<colon].lowercased() == name.lowercased() else { continue }
      let value = line[line.index(after: colon)...]
      return String(value.drop { $0 == " " || $0 == "\t" }.reversed().drop { $0 == " " || $0 == "\t" }.reversed())
    }
    return nil
  }
}

/// One request and its response, with instants of `MonotonicClock`, all taken on the event loop's thread.
public struct HTTPExchange: Sendable {
  /// The answer.
  public var response: HTTPResponse
  /// Just before the request's first byte was given to the socket.
  public var firstByteWrittenAt: UInt64
  /// When the first bytes of the response had been read.
  public var firstByteReadAt: UInt64
  /// When the last bytes of the response had been read.
  public var lastByteReadAt: UInt64

  /// From the first byte written to the first bytes read, in ns.
  public var timeToFirstByte: UInt64 { firstByteReadAt &- firstByteWrittenAt }

  /// From the first byte written to the last byte read, in ns.
  public var serviceTime: UInt64 { lastByteReadAt &- firstByteWrittenAt }
}
