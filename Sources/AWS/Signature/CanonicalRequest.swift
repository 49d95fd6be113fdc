/// The one spelling of a request that both sides hash: "Create a canonical request" of the SigV4 documentation.
enum CanonicalRequest {
  /// Headers a client or a proxy may change under way, as botocore leaves them out too.
  static let neverSigned: Set<String> = [
    "authorization", "expect", "transfer-encoding", "user-agent", "x-amzn-trace-id",
  ]

  /// The text to hash.
  ///
  /// - Parameters:
  ///   - signedHeaders: names in lower case, sorted.
  ///   - payloadHash: of the body, SHA-256 in hexadecimal.
  static func text(of request: SignableRequest, signedHeaders: [String], payloadHash: String) -> String {
    var values: [String: [String]] = [:]
    for (name, value) in request.headers {
      values[name.lowercased(), default: []].append(collapsingSpaces(value))
    }
    var text = "\(request.method.uppercased())\n\(path(request.path))\n\(query(request.query))\n"
    for name in signedHeaders {
      text += "\(name):\((values[name] ?? []).joined(separator: ","))\n"
    }
    return text + "\n\(signedHeaders.joined(separator: ";"))\n\(payloadHash)"
  }

  /// Dot segments and repeated slashes removed, then encoded once more (only S3 does neither).
  static func path(_ path: String) -> String {
    var segments: [Substring] = []
    for segment in path.split(separator: "/") where segment != "." {
      if segment == ".." {
        _ = segments.popLast()
      } else {
        segments.append(segment)
      }
    }
    let ending = path.hasSuffix("/") && !segments.isEmpty ? "/" : ""
    return percentEncoded("/" + segments.joined(separator: "/") + ending)
  }

  /// Parameters sorted by name, then value, in byte order; one without `=` gets it.
  static func query(_ query: String) -> String {
    guard !query.isEmpty else { return "" }
    let parameters = query.split(separator: "&").map { parameter in
      let parts = parameter.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      return (name: Array(parts[0].utf8), value: parts.count == 2 ? Array(parts[1].utf8) : [])
    }
    return
      parameters
      .sorted {
        $0.name == $1.name ? $0.value.lexicographicallyPrecedes($1.value) : $0.name.lexicographicallyPrecedes($1.name)
      }
      .map { String(decoding: $0.name, as: UTF8.self) + "=" + String(decoding: $0.value, as: UTF8.self) }
      .joined(separator: "&")
  }

  /// Outer white space gone, inner runs of it one space.
  private static func collapsingSpaces(_ value: String) -> String {
    value.split { $0 == " " || $0 == "\t" || $0 == "\n" || $0 == "\r" }.joined(separator: " ")
  }

  /// RFC 3986's unreserved characters and the slash stay; everything else becomes `%XX`.
  private static func percentEncoded(_ text: String) -> String {
    var bytes: [UInt8] = []
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
        UInt8(ascii: "~"), UInt8(ascii: "/"):
        bytes.append(byte)
      default:
        bytes.append(UInt8(ascii: "%"))
        bytes.append(contentsOf: Hexadecimal.text(CollectionOfOne(byte)).uppercased().utf8)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
