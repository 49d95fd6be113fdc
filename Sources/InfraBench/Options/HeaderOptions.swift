import FoundationEssentials

/// A header to send with every request and upgrade. Its value is a secret: it is never printed or stored.
package struct SecretHeader: Sendable, Equatable, CustomStringConvertible {
  package var name: String
  package var value: String

  /// The name alone.
  package var description: String { "\(name): …" }
}

extension OptionReader {
  /// Headers that the client writes itself, so that a user cannot.
  private static let reservedHeaders: Set<String> = [
    "host", "content-length", "transfer-encoding", "connection", "upgrade", "sec-websocket-key",
    "sec-websocket-version", "content-type",
  ]

  /// `Name: value` texts and a token (from a file, else `GATEWAY_TOKEN`), which becomes `Authorization: Bearer …`.
  package mutating func headers(_ written: [String], tokenFile: String?) -> [SecretHeader] {
    var headers = written.compactMap { header($0) }
    let isAuthorized = headers.contains { $0.name.lowercased() == "authorization" }
    if isAuthorized, tokenFile != nil {
      problems.add("--token-file", "it and an Authorization header exclude each other: give one of them")
    }
    // A flag wins over the environment's token.
    if !isAuthorized || tokenFile != nil, let token = token(tokenFile) {
      headers.append(SecretHeader(name: "Authorization", value: "Bearer \(token)"))
    }
    return headers
  }

  private mutating func header(_ text: String) -> SecretHeader? {
    // The text may hold a secret: messages name at most what stands before the colon.
    guard let colon = text.firstIndex(of: ":") else {
      problems.add("--header", "no colon: write it as 'Name: value'")
      return nil
    }
    let name = String(text[..<colon])
    let value = text[text.index(after: colon)...].trimming(while: { $0 == " " || $0 == "\t" })
    guard !name.isEmpty, name.utf8.allSatisfy(Self.isTokenByte) else {
      problems.add("--header", "the name before the colon has a character that no header name has")
      return nil
    }
    guard !Self.reservedHeaders.contains(name.lowercased()) else {
      problems.add("--header", "'\(name)' is set by the tool itself and cannot be given")
      return nil
    }
    guard Self.isFieldValue(value) else {
      problems.add("--header", "the value of '\(name)' has a control or non-ASCII character")
      return nil
    }
    return SecretHeader(name: name, value: value)
  }

  private mutating func token(_ file: String?) -> String? {
    guard let file else {
      guard let token = environment["GATEWAY_TOKEN"], !token.isEmpty else { return nil }
      guard Self.isFieldValue(token) else {
        problems.add("GATEWAY_TOKEN", "it has a control or non-ASCII character")
        return nil
      }
      return token
    }
    if PathText.likeAnOption(file) != nil {
      // Not repeated: it may be the token itself.
      problems.add(
        "--token-file", "it begins with a dash, as options do: write the file's path, with './' before the dash")
      return nil
    }
    guard let data = try? Data(contentsOf: URL(filePath: file)), data.count <= 64 << 10 else {
      problems.add("--token-file", "the file cannot be read, or is no small file; write its path, not the token itself")
      return nil
    }
    let token = String(decoding: data, as: UTF8.self).trimming(while: \.isWhitespace)
    guard !token.isEmpty, Self.isFieldValue(token) else {
      problems.add("--token-file", "the file holds no token: one line of printable ASCII is expected")
      return nil
    }
    return token
  }

  /// RFC 9110, section 5.6.2.
  private static func isTokenByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
    }
  }

  private static func isFieldValue(_ text: String) -> Bool {
    text.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7f || $0 == 0x09 }
  }
}

extension StringProtocol {
  /// Without the characters at both ends for which `isDropped` holds.
  func trimming(while isDropped: (Character) -> Bool) -> String {
    String(drop(while: isDropped).reversed().drop(while: isDropped).reversed())
  }
}
