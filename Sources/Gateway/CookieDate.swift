/// Dates of `Expires`, which servers write in several forms (RFC 6265, section 5.1.1).
enum CookieDate {
  private static let months = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
  ]

  /// In s since 1970; nil for what is no date.
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

  /// Everything but RFC 6265's delimiters.
  private static func isTokenCharacter(_ character: Character) -> Bool {
    character == ":" || character.isLetter || character.isNumber || !character.isASCII
  }

  /// The number at the front of a token, and how many digits it has; nil without one, or with more than four.
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

  /// Days since 1970 in the Gregorian calendar (the days of a year that begins in March are a linear function of its month).
  private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int {
    let shifted = month <= 2 ? year - 1 : year
    let era = shifted / 400
    let yearOfEra = shifted - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }
}
