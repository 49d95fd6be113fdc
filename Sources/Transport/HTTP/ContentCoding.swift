import Latency
import NIOCore
import TextFormatting

/// How a response's body is encoded (`Content-Encoding`; RFC 9110, section 8.4). No request asks for a coding, but some
/// servers and proxies use one anyway.
enum ContentCoding: Equatable {
  case identity
  case gzip
  case deflate
  /// A coding that is not supported, by the server's name for it.
  case other(String)

  /// Parses a field's value: one coding or a list.
  init(_ value: String) {
    self = value.split(separator: ",").reduce(.identity) { $0.followed(by: ContentCoding(element: $1)) }
  }

  private init(element: Substring) {
    let name = element.drop { $0 == " " || $0 == "\t" }.reversed().drop { $0 == " " || $0 == "\t" }.reversed()
    switch String(name).lowercased() {
    case "", "identity": self = .identity
    case "gzip", "x-gzip": self = .gzip
    case "deflate": self = .deflate
    default: self = .other(String(name))
    }
  }

  /// This coding with `next` applied after it.
  func followed(by next: ContentCoding) -> ContentCoding {
    switch (self, next) {
    case (.identity, _): next
    case (_, .identity): self
    default: .other("\(name), \(next.name)")
    }
  }

  /// The coding's name in a header field.
  var name: String {
    switch self {
    case .identity: "identity"
    case .gzip: "gzip"
    case .deflate: "deflate"
    case .other(let name): name
    }
  }

  /// Decodes a body of at most `limit` decoded bytes.
  ///
  /// - Throws: kind `invalid_response` for a corrupt or incomplete body and for an unsupported coding, kind `too_large`
  ///   beyond the limit.
  func decode(_ body: ByteBuffer, limit: Int) throws(TransportError) -> ByteBuffer {
    // An empty body needs no decoding, such as that of an error page cut off by a proxy.
    guard self != .identity, body.readableBytes > 0 else { return body }
    let bytes = Array(body.readableBytesView)[...]
    let output: Zlib.Output?
    switch self {
    case .identity: return body
    case .gzip: output = Zlib.decompress(bytes, as: .gzip, limit: limit + 1)
    // Some servers leave out the zlib wrapping that the coding's definition requires.
    case .deflate:
      output =
        Zlib.decompress(bytes, as: .zlib, limit: limit + 1) ?? Zlib.decompress(bytes, as: .raw, limit: limit + 1)
    case .other(let name):
      throw TransportError(
        .invalidResponse,
        "the answer's body is encoded as '\(PlainText.ascii(name))', which no request asked for and this tool "
          + "does not decode: turn that off for this path")
    }
    guard let output else { throw TransportError(.invalidResponse, "the answer's \(name) body is corrupt") }
    guard output.bytes.count <= limit else {
      throw TransportError(.tooLarge, "the response's body is larger than \(limit) bytes")
    }
    guard output.isComplete else { throw TransportError(.invalidResponse, "the answer's \(name) body is incomplete") }
    return ByteBuffer(bytes: output.bytes)
  }

  /// Decodes as much of an incomplete body as possible, at most `limit` bytes; nil if that is nothing.
  func decode(beginning body: ByteBuffer, limit: Int) -> ByteBuffer? {
    let bytes = Array(body.readableBytesView)[...]
    let output: Zlib.Output?
    switch self {
    case .identity: return body
    case .gzip: output = Zlib.decompress(bytes, as: .gzip, limit: limit)
    case .deflate:
      output = Zlib.decompress(bytes, as: .zlib, limit: limit) ?? Zlib.decompress(bytes, as: .raw, limit: limit)
    case .other: return nil
    }
    return output.map { ByteBuffer(bytes: $0.bytes) }
  }
}
