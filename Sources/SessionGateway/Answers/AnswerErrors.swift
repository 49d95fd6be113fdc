import NIOCore
import Transport

extension GatewayError {
  static func unexpectedStatus(_ response: HTTPResponse) -> GatewayError {
    GatewayError(
      kind: "http_\(response.status)", message: "status \(response.status): \(String.head(of: response.body))")
  }

  /// An answer that is not what the protocol says; `what` is wrong with it.
  static func invalidAnswer(_ what: String, _ response: HTTPResponse) -> GatewayError {
    GatewayError(kind: "invalid_json", message: "\(what): \(String.head(of: response.body))")
  }
}

extension String {
  /// Text from outside is shown on terminals: at most 120 bytes, and everything but printable ASCII becomes a blank.
  static func printable(_ text: String) -> String { printable(text.utf8.prefix(120)) }

  /// The beginning of a body, as one printable line.
  fileprivate static func head(of body: ByteBuffer) -> String { printable(body.readableBytesView.prefix(120)) }

  private static func printable(_ bytes: some Sequence<UInt8>) -> String {
    String(decoding: bytes.map { (0x20..<0x7f).contains($0) ? $0 : 0x20 }, as: UTF8.self)
  }
}
