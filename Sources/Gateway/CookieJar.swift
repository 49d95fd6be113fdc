import Synchronization

/// The cookies that a gateway, or a load balancer before it, has set in one iteration (RFC 6265, section 5).
///
/// A balancer with sticky sessions names the back end in a cookie; a call without the cookie may reach another back
/// end, which does not know the task. A jar belongs to one iteration and one host, so `Domain` is ignored. Pure: the
/// caller passes the time.
///
/// ```swift
/// var jar = CookieJar()
/// jar.store("node=b; Path=/; Max-Age=60", from: "/api/acquire", now: 1_000)
/// jar.field(for: "/api/release", isSecure: false, now: 1_001)  // "node=b"
/// ```
public struct CookieJar: Sendable {
  private struct Cookie: Equatable {
    var name: String
    var value: String
    var path: String
    var isSecure: Bool
    /// In s since 1970; nil for a cookie that lasts as long as the jar.
    var expiresAt: Double?
  }

  private var cookies: [Cookie] = []
  /// The rendered fields for the present cookies; nil without any, as most visits are: an empty jar is no object.
  private var fields: CookieFieldCache?

  /// The limits, in bytes of a field and cookies of a host: the least that RFC 6265, section 6.1, asks of browsers.
  private static let (largest, most) = (4096, 50)

  /// An empty jar.
  public init() {}

  /// Whether the jar holds no cookie.
  public var isEmpty: Bool { cookies.isEmpty }

  /// Stores the value of a `Set-Cookie` field from the answer to a request for `path`; a malformed or too large one is
  /// dropped, as RFC 6265 demands.
  ///
  /// - Parameter now: in s since 1970.
  public mutating func store(_ field: String, from path: String, now: Double) {
    guard field.utf8.count <= Self.largest, field.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f || $0 == 0x09 }) else {
      return
    }
    let parts = field.split(separator: ";", omittingEmptySubsequences: false)
    guard let equals = parts[0].firstIndex(of: "=") else { return }
    let name = trimmed(parts[0][..<equals])
    guard !name.isEmpty else { return }
    var cookie = Cookie(
      name: name, value: trimmed(parts[0][parts[0].index(after: equals)...]), path: Self.defaultPath(of: path),
      isSecure: false)
    var maxAge: Double?
    for part in parts.dropFirst() {
      let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      // Some servers quote a value although the RFC does not allow it, and clients accept that.
      let value = unquoted(pair.count > 1 ? trimmed(pair[1]) : "")
      switch trimmed(pair[0]).lowercased() {
      case "path": cookie.path = value.hasPrefix("/") ? value : Self.defaultPath(of: path)
      case "secure": cookie.isSecure = true
      case "max-age": maxAge = Self.seconds(value) ?? maxAge
      case "expires": cookie.expiresAt = CookieDate.parse(value) ?? cookie.expiresAt
      default: break
      }
    }
    // Where both attributes are set, Max-Age wins over Expires.
    if let maxAge { cookie.expiresAt = maxAge <= 0 ? -.infinity : now + maxAge }
    insert(cookie, now: now)
  }

  /// The value of the `Cookie` field of a request for `path`, without its query; nil where no cookie applies. It is
  /// rendered once for all requests until a cookie is set or ends.
  ///
  /// - Parameter now: in s since 1970.
  public func field(for path: String, isSecure: Bool, now: Double) -> String? {
    fields?.field(for: path, isSecure: isSecure, now: now) { render(path, isSecure, now) }
  }

  /// The field, and the end of its validity, in s since 1970.
  private func render(_ path: String, _ isSecure: Bool, _ now: Double) -> (text: String?, until: Double) {
    let known = cookies.enumerated().filter { _, cookie in
      (cookie.expiresAt ?? .infinity) > now && (isSecure || !cookie.isSecure) && Self.matches(path, cookie.path)
    }
    // Longer paths go first; cookies with paths of one length keep the order in which they were set.
    let text = known.sorted { ($1.element.path.utf8.count, $0.offset) < ($0.element.path.utf8.count, $1.offset) }
      .map { "\($0.element.name)=\($0.element.value)" }.joined(separator: "; ")
    return (known.isEmpty ? nil : text, known.compactMap(\.element.expiresAt).min() ?? .infinity)
  }

  private mutating func insert(_ cookie: Cookie, now: Double) {
    // A new cache: copies of the jar with the former cookies keep using the former cache.
    defer { fields = cookies.isEmpty ? nil : CookieFieldCache() }
    let isExpired = (cookie.expiresAt ?? .infinity) <= now
    if let index = cookies.firstIndex(where: { $0.name == cookie.name && $0.path == cookie.path }) {
      if isExpired { cookies.remove(at: index) } else { cookies[index] = cookie }
    } else if !isExpired {
      // Expired cookies are dropped first, then the oldest one (RFC 6265, section 5.3).
      if cookies.count >= Self.most { cookies.removeAll { ($0.expiresAt ?? .infinity) <= now } }
      if cookies.count >= Self.most { cookies.removeFirst() }
      cookies.append(cookie)
    }
  }

  /// The path up to its last slash, as RFC 6265, section 5.1.4, defines it.
  private static func defaultPath(of path: String) -> String {
    guard path.hasPrefix("/"), let last = path.lastIndex(of: "/"), last > path.startIndex else { return "/" }
    return String(path[..<last])
  }

  private static func matches(_ path: String, _ cookiePath: String) -> Bool {
    guard path.hasPrefix(cookiePath) else { return false }
    return path.utf8.count == cookiePath.utf8.count || cookiePath.hasSuffix("/")
      || path.utf8.dropFirst(cookiePath.utf8.count).first == UInt8(ascii: "/")
  }

  /// A `Max-Age`; nil for anything but digits after an optional minus sign.
  private static func seconds(_ text: String) -> Double? {
    let digits = text.hasPrefix("-") ? text.dropFirst() : text[...]
    guard !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
    return Double(text)
  }
}

private func trimmed(_ text: some StringProtocol) -> String {
  let isBlank: (Character) -> Bool = { $0 == " " || $0 == "\t" }
  return String(text.drop(while: isBlank).reversed().drop(while: isBlank).reversed())
}

private func unquoted(_ text: String) -> String {
  text.utf8.count >= 2 && text.hasPrefix("\"") && text.hasSuffix("\"") ? String(text.dropFirst().dropLast()) : text
}

/// Dates of `Expires`, which servers write in several forms (RFC 6265, section 5.1.1).
enum CookieDate {
  private static let months = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
  ]

  /// In s since 1970; nil for a text that is not a date.
  static func parse(_ text: String) -> Double? {
    var (time, day, month, year): ([Int]?, Int?, Int?, Int?)
    for token in text.split(whereSeparator: { !isTokenCharacter($0) }) {
      let number = leadingNumber(token)
      if time == nil, let found = timeOfDay(token) {
        time = found
      } else if day == nil, let number, (1...2).contains(number.digits) {
        day = number.value
      } else if month == nil, let found = months.firstIndex(of: token.prefix(3).lowercased()) {
        month = found + 1
      } else if year == nil, let number, (2...4).contains(number.digits) {
        year = number.value
      }
    }
    guard let time, let day, let month, var year else { return nil }
    if (70...99).contains(year) { year += 1900 } else if (0...69).contains(year) { year += 2000 }
    guard (1...31).contains(day), year >= 1601, time[0] <= 23, time[1] <= 59, time[2] <= 59 else { return nil }
    return Double(days(year, month, day)) * 86_400 + Double(time[0] * 3600 + time[1] * 60 + time[2])
  }

  /// Whether RFC 6265 lets the character stand in a token, as all but its delimiters may.
  private static func isTokenCharacter(_ character: Character) -> Bool {
    character == ":" || character.isLetter || character.isNumber || !character.isASCII
  }

  /// The number at the start of a token, and its count of digits; nil without a digit, or with more than four.
  private static func leadingNumber(_ token: Substring) -> (value: Int, digits: Int)? {
    let digits = token.prefix { $0.isASCII && $0.isNumber }
    guard (1...4).contains(digits.count), let value = Int(digits) else { return nil }
    return (value, digits.count)
  }

  /// `h:m:s`, one or two digits each.
  private static func timeOfDay(_ token: Substring) -> [Int]? {
    let parts = token.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count >= 3 else { return nil }
    let numbers = parts.prefix(3).compactMap { leadingNumber($0) }
    guard numbers.count == 3, numbers.allSatisfy({ $0.digits <= 2 }) else { return nil }
    return numbers.map(\.value)
  }

  /// Days since 1970 in the Gregorian calendar (in a year from March on, the days are linear in the month).
  private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int {
    let shifted = month <= 2 ? year - 1 : year
    let era = shifted / 400
    let yearOfEra = shifted - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }
}

/// A cache of `Cookie` header values for one state of a jar. Copies of the jar share it; a changed jar gets a new
/// cache.
///
/// A balancer's cookie goes with every call of a visit, and rendering it each time costs more than the rest of the
/// request.
final class CookieFieldCache: Sendable {
  private struct Field {
    var path: String
    var isSecure: Bool
    var text: String?
    /// The validity of the text, in s since 1970.
    var (from, until): (Double, Double)
  }

  private let known = Mutex<[Field]>([])

  /// The most fields kept. A visit asks for a few paths; the limit stops paths that each hold another user id.
  private static let most = 8

  /// The field of a request for `path` at `now`, in s since 1970; `render` returns it with the end of its validity.
  func field(
    for path: String, isSecure: Bool, now: Double, _ render: () -> (text: String?, until: Double)
  ) -> String? {
    known.withLock { known in
      for field in known
      where field.path == path && field.isSecure == isSecure && now >= field.from && now < field.until {
        return field.text
      }
      let (text, until) = render()
      known.removeAll { $0.path == path && $0.isSecure == isSecure }
      if known.count >= Self.most { known.removeFirst() }
      known.append(Field(path: path, isSecure: isSecure, text: text, from: now, until: until))
      return text
    }
  }
}
