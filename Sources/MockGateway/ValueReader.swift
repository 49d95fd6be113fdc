/// Reads texts as values and collects what is wrong with them.
struct ValueReader {
  private(set) var problems: [String] = []

  mutating func note(_ problem: String) { problems.append(problem) }

  /// A whole number; nil where `text` is nil or wrong.
  mutating func number(_ text: String?, _ name: String, in range: ClosedRange<Int>) -> Int? {
    guard let text else { return nil }
    if let number = Int(text), range.contains(number) { return number }
    note("\(name) '\(text)': it is a whole number from \(range.lowerBound) to \(range.upperBound)")
    return nil
  }

  /// A duration with its unit, up to 24 h, in ns.
  mutating func duration(_ text: String?, _ name: String) -> UInt64? {
    guard let text else { return nil }
    for (unit, factor) in [("ns", 1), ("us", 1e3), ("ms", 1e6), ("s", 1e9), ("m", 60e9), ("h", 3600e9)]
    where text.hasSuffix(unit) {
      let digits = text.dropLast(unit.utf8.count)
      let isPlain = digits.utf8.allSatisfy {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || $0 == UInt8(ascii: ".")
      }
      if isPlain, let value = Double(digits), value * factor <= 24 * 3600e9 { return UInt64(value * factor) }
      break
    }
    note("\(name) '\(text)': it is a duration up to 24h with its unit, such as 250ms, 1.5s or 2m")
    return nil
  }

  mutating func boolean(_ text: String?, _ name: String) -> Bool? {
    switch text?.lowercased() {
    case nil, "": return nil
    case "true", "1", "yes": return true
    case "false", "0", "no": return false
    default:
      note("\(name) '\(text ?? "")': it is true or false")
      return nil
    }
  }

  /// One of the cases of `type`.
  mutating func choice<Choice: RawRepresentable<String> & CaseIterable>(
    _ text: String?, _ name: String, of type: Choice.Type
  ) -> Choice? {
    guard let text else { return nil }
    if let choice = Choice(rawValue: text) { return choice }
    note("\(name) '\(text)': it is one of \(Choice.allCases.map(\.rawValue).joined(separator: ", "))")
    return nil
  }
}
