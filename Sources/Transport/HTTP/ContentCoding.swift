import Latency
import NIOCore
import TextFormatting

/// How a response's body is encoded (`Content-Encoding`; RFC 9110, section 8.4). No request asks for any coding, but some
/// servers and proxies use one nevertheless.
enum ContentCoding: Equatable {
  case identity
  case gzip
  case deflate
  /// One that is not decoded here, by the name that the server gave it.
  case other(String)

  /// Reads a field's value: one coding, or a list of them.
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

  /// What a second coding adds.
  func followed(by next: ContentCoding) -> ContentCoding {
    switch (self, next) {
    case (.identity, _): next
    case (_, .identity): self
    default: .other("\(name), \(next.name)")
    }
  }

  /// As a field says it.
  var name: String {
    switch self {
    case .identity: "identity"
    case .gzip: "gzip"
    case .deflate: "deflate"
    case .other(let name): name
    }
  }

  /// The body as it was before it was encoded, at most `limit` bytes.
  ///
  /// - Throws: kind `invalid_response` for a corrupt or incomplete body and for a coding that is not known here, kind
  ///   `too_large` beyond the limit.
  func decode(_ body: ByteBuffer, limit: Int) throws(TransportError) -> ByteBuffer {
    // The answer to a request that has no body, or an error page cut off by a proxy: nothing to decode.
    guard self != .identity, body.readableBytes > 0 else { return body }
    let bytes = Array(body.readableBytesView)[...]
    let output: Zlib.Output?
    switch self {
    case .identity: return body
    case .gzip: output = Zlib.decompress(bytes, as: .gzip, limit: limit + 1)
    // Some servers leave the zlib format away that the coding's definition wants.
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

  /// As much of a body as can be decoded of its beginning, at most `limit` bytes; nil where that is nothing.
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
