import FoundationEssentials
import TextFormatting

/// Whether results may be merged. Only runs of one kind under one load are one population, and each run must count
/// once.
struct MergeCheck {
  /// The reasons against merging, a sentence each; empty where the results may be merged.
  private(set) var problems: [String] = []

  init(_ results: [StoredResult]) {
    guard let first = results.first, results.count > 1 else {
      problems = ["--merge needs at least two files"]
      return
    }
    var files: [ResultFile.Identity: Int] = [:]
    var starts: [Start: [Int]] = [:]
    var runs: [(place: Int, document: ResultDocument)] = []
    for (index, result) in results.enumerated() {
      if let shard = result.document.shard {
        add(
          result,
          "is shard \(shard.index) of \(shard.of), which went on at the same time as the others: use --merge-shards")
      }
      if result.document.mergedRuns != nil {
        add(result, "is a merge itself: name the runs that it was made of")
      }
      let start = Start(result.document)
      let twin = starts[start]?.first { results[$0].document.metrics == result.document.metrics }
      // The first file that holds this run, under any name.
      if let first = [files[result.identity], twin].compactMap(\.self).min() {
        let what = results[first].identity == result.identity ? "the same file as" : "a copy of the run in"
        add(result, "is \(what) \(Self.quoted(results[first])): a run counts once")
      } else {
        files[result.identity] = index
        starts[start, default: []].append(index)
        if result.document.mergedRuns == nil { runs.append((index, result.document)) }
      }
      if index > 0 { compare(result, with: first) }
    }
    for (later, earlier) in RunOverlap(runs).pairs { add(results[later], overlapping: results[earlier]) }
  }

  private mutating func add(_ result: StoredResult, overlapping earlier: StoredResult) {
    let length = NumberText.decimals(earlier.document.durationSeconds, 1)
    add(
      result,
      "began at \(result.document.startedAt), while the run in \(Self.quoted(earlier)) went on (from "
        + "\(earlier.document.startedAt), for \(length) s or more): rates of runs at the same time add up, and a merge would divide "
        + "by the sum of their lengths; merge runs that followed one another, and show these each by itself")
  }

  private mutating func compare(_ result: StoredResult, with first: StoredResult) {
    let (document, other) = (result.document, first.document)
    guard document.tool == other.tool else {
      return add(result, "is of \(document.tool.name), and \(Self.quoted(first)) of \(other.tool.name)")
    }
    if document.target.kind != other.target.kind {
      add(result, "has the target \(document.target.kind), and \(Self.quoted(first)) \(other.target.kind)")
    }
    if let profile = document.target.profile, let otherProfile = other.target.profile, profile != otherProfile {
      add(result, "was spoken to by the profile \(profile), and \(Self.quoted(first)) by \(otherProfile)")
    }
    let (parameters, others) = (document.tool.shaping(document.parameters), other.tool.shaping(other.parameters))
    for name in Set(parameters.keys).union(others.keys).sorted() where parameters[name] != others[name] {
      let (value, otherValue) = (parameters[name] ?? "none", others[name] ?? "none")
      add(result, "has another load: \(name) is \(value), and \(otherValue) in \(Self.quoted(first))")
    }
  }

  private mutating func add(_ result: StoredResult, _ reason: String) {
    problems.append(PlainText.line("\(Self.quoted(result)) \(reason)"))
  }

  private static func quoted(_ result: StoredResult) -> String { "'\(result.path)'" }

  /// Identifies a run: no machine begins two runs of a tool in one millisecond that have equal latencies to the
  /// nanosecond.
  private struct Start: Hashable {
    var tool: String
    var startedAt: String
    var hostname: String

    init(_ document: ResultDocument) {
      (tool, startedAt, hostname) = (document.tool.name, document.startedAt, document.environment.hostname)
    }
  }
}

extension ResultDocument {
  /// The name of the finding that only merged results have.
  static let mergedRunsFinding = "merged_runs"

  /// How many runs were merged into this document; nil for a run.
  package var mergedRuns: Int? {
    guard case .int(let number)? = findings?[Self.mergedRunsFinding] else { return nil }
    return Int(exactly: number)
  }
}

/// Runs that were made at the same time. Each measured a part of one load, so their rates add up. A merge divides the
/// sum of the work by the sum of the lengths, which is right only for runs that followed one another.
struct RunOverlap {
  /// The run that began while another one went on, and that other run, by their places.
  let pairs: [(later: Int, earlier: Int)]

  /// In s: `startedAt` is rounded to the millisecond, up or down.
  private static let resolution = 0.002

  /// - Parameter documents: The runs, with the places that `pairs` has.
  ///
  /// A document tells the length of the measured part alone, not that of the set-up before it. So a run goes on for at
  /// least that length from its start. Runs that followed one another are never taken for overlapping; runs that
  /// overlap by less than their set-up do not overlap in what was measured.
  init(_ documents: [(place: Int, document: ResultDocument)]) {
    let runs = documents.compactMap { place, document in
      Self.start(of: document).map { (place: place, start: $0, end: $0 + document.durationSeconds) }
    }.sorted { ($0.start, $0.place) < ($1.start, $1.place) }
    var pairs: [(later: Int, earlier: Int)] = []
    var last: (place: Int, start: Double, end: Double)?
    for run in runs {
      if let last, run.start + Self.resolution < last.end { pairs.append((run.place, last.place)) }
      if run.end > last?.end ?? -.infinity { last = run }
    }
    self.pairs = pairs
  }

  /// The start in s since 1970; nil where it can't be read.
  private static func start(of document: ResultDocument) -> Double? {
    let style = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
    return (try? style.parse(document.startedAt))?.timeIntervalSince1970
  }
}
