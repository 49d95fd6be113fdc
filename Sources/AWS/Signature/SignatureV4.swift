import Crypto
import FoundationEssentials
import TextFormatting

/// AWS Signature Version 4: a chain of HMAC-SHA256 over a canonical request.
/// Source: "Create a signed AWS API request" of the IAM user guide; tests check every step against botocore's results.
enum SignatureV4 {
  static let algorithm = "AWS4-HMAC-SHA256"

  /// The scope in which a signing key is valid.
  struct Scope: Equatable {
    var day: String
    var region: String
    var service: String

    var text: String { "\(day)/\(region)/\(service)/aws4_request" }
  }

  static func hash(_ bytes: [UInt8]) -> String { Hexadecimal.text(SHA256.hash(data: bytes)) }

  static func stringToSign(canonicalRequest: String, date: SigningDate, scope: Scope) -> String {
    "\(algorithm)\n\(date)\n\(scope.text)\n\(hash(Array(canonicalRequest.utf8)))"
  }

  static func signature(of stringToSign: String, secretAccessKey: String, scope: Scope) -> String {
    var key = SymmetricKey(data: Array("AWS4\(secretAccessKey)".utf8))
    for part in [scope.day, scope.region, scope.service, "aws4_request"] {
      key = SymmetricKey(data: HMAC<SHA256>.authenticationCode(for: Array(part.utf8), using: key))
    }
    return Hexadecimal.text(HMAC<SHA256>.authenticationCode(for: Array(stringToSign.utf8), using: key))
  }
}

/// The one spelling of a request that both sides hash: "Create a canonical request" of the SigV4 documentation.
enum CanonicalRequest {
  /// Headers that HTTP clients or proxies may change after signing; botocore leaves out the same ones.
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

  /// The path without dot segments and repeated slashes, encoded once more (S3 alone does neither).
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
    return PercentEncoding.encode("/" + segments.joined(separator: "/") + ending, keeping: "/")
  }

  /// The parameters sorted by name, then value, in byte order; a parameter without `=` gets one.
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

  /// The value without outer white space, and with each inner run of it as one space.
  private static func collapsingSpaces(_ value: String) -> String {
    value.split { $0 == " " || $0 == "\t" || $0 == "\n" || $0 == "\r" }.joined(separator: " ")
  }
}

/// An instant as SigV4 writes it, `20260131T235959Z`, in UTC and whole seconds.
public struct SigningDate: Sendable, Equatable, CustomStringConvertible {
  /// Seconds since 1970.
  public var epochSeconds: Int64

  /// Makes a date.
  public init(epochSeconds: Int64) { self.epochSeconds = epochSeconds }

  /// Reads the form `YYYYMMDDThhmmssZ`; `nil` for any other text or a date that does not exist.
  public init?(_ text: String) {
    let bytes = Array(text.utf8)
    guard bytes.count == 16, bytes[8] == UInt8(ascii: "T"), bytes[15] == UInt8(ascii: "Z") else { return nil }
    func number(_ range: Range<Int>) -> Int64? {
      var value: Int64 = 0
      for byte in bytes[range] {
        guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
        value = value * 10 + Int64(byte - UInt8(ascii: "0"))
      }
      return value
    }
    guard let year = number(0..<4), let month = number(4..<6), let day = number(6..<8), let hour = number(9..<11),
      let minute = number(11..<13), let second = number(13..<15),
      let date = SigningDate(year: year, month: month, day: day, hour: hour, minute: minute, second: second)
    else { return nil }
    self = date
  }

  /// Makes a date of its parts in UTC; `nil` for a date that does not exist. Second 60 is the next minute's first.
  public init?(year: Int64, month: Int64, day: Int64, hour: Int64, minute: Int64, second: Int64) {
    guard (1...9999).contains(year), (1...12).contains(month), (1...31).contains(day), (0...23).contains(hour),
      (0...59).contains(minute), (0...60).contains(second)
    else { return nil }
    // Days since 1970 of a civil date: Howard Hinnant, "chrono-compatible low-level date algorithms".
    let shiftedYear = month <= 2 ? year - 1 : year
    let era = shiftedYear / 400
    let yearOfEra = shiftedYear - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    let days = era * 146_097 + dayOfEra - 719_468
    epochSeconds = days * 86_400 + hour * 3_600 + minute * 60 + second
    let civil = SigningDate.civil(days: days)
    guard civil.month == month, civil.day == day else { return nil }
  }

  /// `YYYYMMDD`, the first part of a credential scope.
  public var day: String { String(description.prefix(8)) }

  /// `YYYYMMDDThhmmssZ`.
  public var description: String {
    let days = (epochSeconds >= 0 ? epochSeconds : epochSeconds - 86_399) / 86_400
    let second = epochSeconds - days * 86_400
    let (year, month, day) = SigningDate.civil(days: days)
    func padded(_ value: Int64, _ width: Int) -> String {
      let digits = String(value)
      return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
    return padded(year, 4) + padded(month, 2) + padded(day, 2) + "T" + padded(second / 3_600, 2)
      + padded(second / 60 % 60, 2) + padded(second % 60, 2) + "Z"
  }

  private static func civil(days: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let shifted = days + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
    let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
  }
}

/// Bytes as lower-case hexadecimal text, the form of every hash in a signature.
enum Hexadecimal {
  static func text(_ bytes: some Sequence<UInt8>) -> String {
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    for byte in bytes {
      text.append(digits[Int(byte >> 4)])
      text.append(digits[Int(byte & 15)])
    }
    return String(decoding: text, as: UTF8.self)
  }
}
