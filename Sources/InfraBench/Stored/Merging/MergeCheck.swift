/// Whether results may be merged: only runs of one kind under one load are one population, and each of them once.
struct MergeCheck {
  /// Everything that forbids it, a sentence each; empty where nothing does.
  private(set) var problems: [String] = []

  init(_ results: [StoredResult]) {
    guard let first = results.first, results.count > 1 else {
      problems = ["--merge needs at least two files"]
      return
    }
    for (index, result) in results.enumerated() {
      if result.document.mergedRuns != nil {
        add(result, "is a merge itself: name the runs that it was made of")
      }
      // The first file that is the same, under whatever name.
      for earlier in results[..<index] {
        if earlier.identity == result.identity {
          add(result, "is the same file as \(Self.quoted(earlier)): a run counts once")
        } else if Self.isSameRun(earlier.document, result.document) {
          add(result, "is a copy of the run in \(Self.quoted(earlier)): a run counts once")
        } else {
          continue
        }
        break
      }
      if index > 0 { compare(result, with: first) }
    }
  }

  private mutating func compare(_ result: StoredResult, with first: StoredResult) {
    let (document, other) = (result.document, first.document)
    guard document.tool == other.tool else {
      return add(result, "is of \(document.tool), and \(Self.quoted(first)) of \(other.tool)")
    }
    if document.target.kind != other.target.kind {
      add(result, "has the target \(document.target.kind), and \(Self.quoted(first)) \(other.target.kind)")
    }
    let (parameters, others) = (
      LoadParameters.shaping(document.parameters), LoadParameters.shaping(other.parameters)
    )
    for name in Set(parameters.keys).union(others.keys).sorted() where parameters[name] != others[name] {
      let (value, otherValue) = (parameters[name] ?? "none", others[name] ?? "none")
      add(result, "has another load: \(name) is \(value), and \(otherValue) in \(Self.quoted(first))")
    }
  }

  private mutating func add(_ result: StoredResult, _ reason: String) {
    problems.append(PlainText.line("\(Self.quoted(result)) \(reason)"))
  }

  private static func quoted(_ result: StoredResult) -> String { "'\(result.path)'" }

  /// No machine begins two runs of a tool in one millisecond, with the same latencies to the nanosecond.
  private static func isSameRun(_ left: ResultDocument, _ right: ResultDocument) -> Bool {
    left.tool == right.tool && left.startedAt == right.startedAt
      && left.environment.hostname == right.environment.hostname && left.metrics == right.metrics
  }
}

extension ResultDocument {
  /// The finding that tells a merge from a run.
  static let mergedRunsFinding = "merged_runs"

  /// How many runs were merged into this document; nil for a run.
  package var mergedRuns: Int? {
    guard case .int(let number)? = findings?[Self.mergedRunsFinding] else { return nil }
    return Int(exactly: number)
  }
}
