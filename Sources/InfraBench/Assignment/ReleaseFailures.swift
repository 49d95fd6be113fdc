/// Releases that were refused or failed, counted, with the words of the first. Pure.
struct ReleaseFailures: Sendable {
  private(set) var count = 0
  private var first = ""

  /// Notes one; true for the first.
  mutating func add(_ words: String) -> Bool {
    if count == 0 { first = words }
    count += 1
    return count == 1
  }

  /// `3 releases were refused, the first: …`; nil where there were none.
  ///
  /// - Parameters:
  ///   - one: what is said of one: `was refused`.
  ///   - many: what is said of several.
  func note(_ one: String, _ many: String) -> String? {
    switch count {
    case 0: nil
    case 1: "1 release \(one): \(first)"
    default: "\(count) releases \(many), the first: \(first)"
    }
  }
}
