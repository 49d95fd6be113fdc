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
///
/// A class, so that it is handed from one asynchronous function to the next by reference: as a value it would be copied
/// at every step, and have room in the frame of each.
public final class HTTPExchange: Sendable {
  /// The answer.
  public let response: HTTPResponse
  /// Just before the request's first byte was given to the socket.
  public let firstByteWrittenAt: UInt64
  /// When the first bytes of the response had been read.
  public let firstByteReadAt: UInt64
  /// When the last bytes of the response had been read.
  public let lastByteReadAt: UInt64

  init(response: HTTPResponse, firstByteWrittenAt: UInt64, firstByteReadAt: UInt64, lastByteReadAt: UInt64) {
    self.response = response
    self.firstByteWrittenAt = firstByteWrittenAt
    self.firstByteReadAt = firstByteReadAt
    self.lastByteReadAt = lastByteReadAt
  }

  /// From the first byte written to the first bytes read, in ns.
  public var timeToFirstByte: UInt64 { firstByteReadAt &- firstByteWrittenAt }

  /// From the first byte written to the last byte read, in ns.
  public var serviceTime: UInt64 { lastByteReadAt &- firstByteWrittenAt }
}
