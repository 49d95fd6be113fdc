import LoadEngine

/// The most frequent kind of failure of a run, or of several, with its first example.
package struct CommonestError: Codable, Sendable, Equatable {
  package var kind: String
  package var count: UInt64
  /// Of failures of all kinds.
  package var total: UInt64
  /// What the first one said; may be empty.
  package var example: String

  /// Of equally frequent kinds the first that appeared; nil without a failure.
  init?(_ failures: [(kind: String, count: UInt64, example: String)]) {
    var commonest: (kind: String, count: UInt64, example: String)?
    var total: UInt64 = 0
    for failure in failures {
      total &+= failure.count
      if failure.count > commonest?.count ?? 0 { commonest = failure }
    }
    guard let commonest else { return nil }
    (kind, count, example) = commonest
    self.total = total
  }

  /// Of one run, or of several: the same kind counts together.
  init?(_ documents: [ResultDocument]) {
    var failures: [(kind: String, count: UInt64, example: String)] = []
    for failure in documents.flatMap(\.errors) {
      if let index = failures.firstIndex(where: { $0.kind == failure.kind }) {
        failures[index].count &+= failure.count
      } else {
        failures.append((failure.kind, failure.count, failure.example))
      }
    }
    self.init(failures)
  }

  /// On one line.
  package var words: String {
    let share = count == total ? "\(total)" : "\(count) of \(total)"
    return PlainText.line(
      "the commonest error (\(share)): \(kind)" + (example.isEmpty ? "" : ": \(example)"))
  }
}

extension ErrorTally {
  /// The most frequent kind of failure, and its first example, on one line; nil without a failure.
  var commonestWords: String? {
    CommonestError(entries.map { (kind: $0.kind, count: $0.count, example: $0.example) })?.words
  }
}
