/// Versions since which figures mean something else than before: across them runs are not of one kind.
enum MeaningChanges {
  private static let all: [(version: [Int], name: String, what: String)] = [
    (
      [0, 2, 0], "0.2.0",
      "a request that meets its time-out after the end is an error, where it was censored before; a closed loop's rate is over "
        + "the time in which starts were made, without the wait for the last answers; maxima and means answer for failures; "
        + "the pauses of a call that AWS throttled are apart (run_task, drain); and saturation is found by other rules"
    )
  ]

  /// What changed between `versions`, in a sentence; nil where nothing did.
  static func sentence(across versions: Set<String>) -> String? {
    let numbers = versions.map(numbers)
    let crossed = all.filter { change in
      let older = numbers.count { $0.lexicographicallyPrecedes(change.version) }
      return older > 0 && older < numbers.count
    }
    guard !crossed.isEmpty else { return nil }
    return crossed.map { "since \($0.name) \($0.what)" }.joined(separator: "; ")
  }

  /// `0.2.0-beta` is taken for 0.2.0.
  private static func numbers(_ version: String) -> [Int] {
    version.split(separator: ".").prefix(3).map { part in Int(part.prefix { ("0"..."9").contains($0) }) ?? 0 }
  }
}
