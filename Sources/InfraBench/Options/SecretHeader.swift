import FoundationEssentials
import ProcessControl
import TextFormatting

/// A header to send with every request and upgrade. Its value is a secret: it is never printed or stored.
package struct SecretHeader: Sendable, Equatable, CustomStringConvertible {
  package var name: String
  package var value: String

  /// The header for a bearer token.
  static func bearer(_ token: String) -> SecretHeader {
    SecretHeader(name: "Authorization", value: "Bearer \(token)")
  }

  /// The name without the value.
  package var description: String { "\(name): …" }
}

extension OptionReader {
  /// Headers that the client writes itself, so that a user cannot give them.
  private static let reservedHeaders: Set<String> = [
    "host", "content-length", "transfer-encoding", "connection", "upgrade", "sec-websocket-key",
    "sec-websocket-version", "content-type",
  ]

  /// How the gateway's users authenticate: by headers, written as `Name: value`, and by tokens from a file, a command,
  /// or else `GATEWAY_TOKEN`. Each token becomes `Authorization: Bearer …`. A single token serves all users, and is
  /// among the headers.
  mutating func visitors(_ options: TargetOptions) -> (headers: [SecretHeader], tokens: [String], command: [String]?) {
    var headers = options.headers.compactMap { header($0) }
    let isAuthorized = headers.contains { $0.name.lowercased() == "authorization" }
    for (name, value) in [("--token-file", options.tokenFile), ("--token-command", options.tokenCommand)]
    where value != nil && isAuthorized {
      problems.add(name, "it and an Authorization header exclude each other: give one of them")
    }
    if let command = options.tokenCommand {
      if options.tokenFile != nil {
        problems.add("--token-command", "it and --token-file exclude each other: give one of them")
      }
      return (headers, [], tokenCommand(command))
    }
    // An Authorization header wins over the environment's token.
    let tokens = !isAuthorized || options.tokenFile != nil ? tokens(options.tokenFile) : []
    if tokens.count == 1 { headers.append(.bearer(tokens[0])) }
    return (headers, tokens, nil)
  }

  private mutating func tokenCommand(_ text: String) -> [String]? {
    do {
      return try ShellWords.split(text)
    } catch {
      problems.add("--token-command", "\(error)")
      return nil
    }
  }

  private mutating func header(_ text: String) -> SecretHeader? {
    // The text may hold a secret: messages show at most the part before the colon.
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

  /// Whether the client can send this header: it does not write the name itself, and the value is printable.
  static func isHeader(name: String, value: String) -> Bool {
    !name.isEmpty && name.utf8.allSatisfy(isTokenByte) && !reservedHeaders.contains(name.lowercased())
      && isFieldValue(value)
  }

  private mutating func tokens(_ file: String?) -> [String] {
    guard let file else {
      guard let token = environment["GATEWAY_TOKEN"], !token.isEmpty else { return [] }
      guard Self.isFieldValue(token) else {
        problems.add("GATEWAY_TOKEN", "it has a control or non-ASCII character")
        return []
      }
      return [token]
    }
    if PathText.likeAnOption(file) != nil {
      // The value is not repeated: it may be the token itself.
      problems.add(
        "--token-file", "it begins with a dash, as options do: write the file's path, with './' before the dash")
      return []
    }
    guard let data = try? Data(contentsOf: URL(filePath: file)), data.count <= 16 << 20 else {
      problems.add("--token-file", "the file cannot be read, or has over 16 MiB; write its path, not the token itself")
      return []
    }
    let tokens = String(decoding: data, as: UTF8.self).split(whereSeparator: \.isNewline)
      .map { $0.trimming(while: \.isWhitespace) }.filter { !$0.isEmpty }
    guard !tokens.isEmpty, tokens.allSatisfy({ Self.isFieldValue($0) && $0.utf8.count <= 64 << 10 }) else {
      problems.add("--token-file", "the file holds no token: lines of printable ASCII are expected, a token each")
      return []
    }
    return tokens
  }

  /// Whether a byte is a `tchar`, one of those that names of headers have: RFC 9110, section 5.6.2.
  private static func isTokenByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
    }
  }

  static func isFieldValue(_ text: String) -> Bool {
    text.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7f || $0 == 0x09 }
  }
}
