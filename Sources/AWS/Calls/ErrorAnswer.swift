import FoundationEssentials

/// Reads what a service says instead of a result: JSON of AWS's own, or XML or HTML of something in front of it.
struct ErrorAnswer {
  private struct Body: Decodable {
    var type: String?
    var code: String?
    var message: String?

    enum CodingKeys: String, CodingKey {
      case type = "__type"
      case code
      case message
      case capitalizedMessage = "Message"
    }

    init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: CodingKeys.self)
      // A field of another type counts as missing: an error of the error would hide what the service said.
      func text(_ key: CodingKeys) -> String? { try? container.decodeIfPresent(String.self, forKey: key) }
      type = text(.type)
      code = text(.code)
      message = text(.message) ?? text(.capitalizedMessage)
    }
  }

  var code: String
  var message: String

  init(_ response: HTTPResponse, _ redaction: Redaction) {
    let body = try? JSONDecoder().decode(Body.self, from: Data(response.body))
    let xml = body == nil ? String(decoding: response.body.prefix(4_096), as: UTF8.self) : ""
    let rawCode = body?.type ?? body?.code ?? response.header("x-amzn-errortype")
    code = ErrorAnswer.bareCode(redaction.text(rawCode ?? ErrorAnswer.element("Code", of: xml) ?? ""))
    let text = body == nil ? ErrorAnswer.element("Message", of: xml) : body?.message ?? ""
    // Redacted before it is cut: half a secret is one too.
    message =
      text.map { ErrorAnswer.printable(redaction.text(ErrorAnswer.withoutCanonicalString($0))) }
      ?? ErrorAnswer.firstLine(of: response.body, redaction)
    if code.isEmpty, message.isEmpty { message = "the service answered HTTP \(response.status) without a word" }
  }

  /// `prefix#ClusterNotFoundException:http://…` → `ClusterNotFoundException`.
  static func bareCode(_ text: String) -> String {
    let untilColon = text.prefix { $0 != ":" }
    let afterHash = untilColon.lastIndex(of: "#").map { untilColon[untilColon.index(after: $0)...] } ?? untilColon
    return String(printable(String(afterHash)).prefix(100))
  }

  /// The text of the first `<name>`, as errors of the query protocols (STS, IAM) have it; `nil` where there is none.
  private static func element(_ name: String, of xml: String) -> String? {
    guard let start = xml.firstRange(of: "<\(name)>")?.upperBound,
      let end = xml[start...].firstRange(of: "</\(name)>")?.lowerBound
    else { return nil }
    return String(xml[start..<end])
  }

  /// AWS tells what it signed itself, line by line: of no use to a user, and the session token is in it.
  private static func withoutCanonicalString(_ message: String) -> String {
    message.firstRange(of: "The Canonical String").map { String(message[..<$0.lowerBound]) } ?? message
  }

  /// The first line that has anything on it, at most 200 characters.
  static func firstLine(of body: [UInt8], _ redaction: Redaction) -> String {
    let lines = body.prefix(4_096).split { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }
    for line in lines {
      let text = printable(redaction.text(String(decoding: line, as: UTF8.self)))
      if text.contains(where: { $0 != " " }) { return String(text.prefix(200)) }
    }
    return ""
  }

  /// Without control characters (they could steer a terminal), at most 1,000 characters.
  static func printable(_ text: String) -> String {
    let isControl = { (scalar: Unicode.Scalar) in scalar.properties.generalCategory == .control }
    let scalars = text.unicodeScalars.prefix(1_000).map { isControl($0) ? " " : $0 }
    return String(String.UnicodeScalarView(scalars))
  }
}
