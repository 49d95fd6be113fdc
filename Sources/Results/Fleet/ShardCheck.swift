import TextFormatting

/// Whether results are all the shards of one load, each once.
struct ShardCheck {
  /// A shard's result without its histograms.
  struct Entry {
    var path: String
    var document: ResultDocument
    var shard: ResultDocument.Shard
  }

  /// The reasons against merging, a sentence each; empty where the results may be merged.
  private(set) var problems: [String] = []
  /// The shards that measured nothing: they are left out where shards may be missing.
  private(set) var failed: [Int] = []
  /// The shards of which there is no result, or none that counts, in their order.
  private(set) var missing: [Int] = []

  /// The most missing shards that are named.
  private static let mostNamed = 20

  /// - Parameter allowsMissing: Whether some shards may be missing or have failed.
  init(_ entries: [Entry], strangers: [String], allowsMissing: Bool) {
    problems = strangers.map { "'\(PlainText.line($0))' is no result of a shard: it was made without --shard" }
    guard let first = entries.first else {
      if problems.isEmpty { problems = ["--merge-shards needs the results of all shards"] }
      return
    }
    var seen: [Int: String] = [:]
    for entry in entries {
      compare(entry, with: first)
      if let earlier = seen.updateValue(entry.path, forKey: entry.shard.index) {
        add(entry, "is there twice: also in '\(PlainText.line(earlier))'")
      }
      if entry.document.verdict == .error { failed.append(entry.shard.index) }
    }
    let failed = failed
    missing = (0..<first.shard.of).filter { seen[$0] == nil || failed.contains($0) }
    if allowsMissing {
      if missing.count == first.shard.of { problems.append("all shards are missing or have failed") }
      return
    }
    for entry in entries where failed.contains(entry.shard.index) {
      add(entry, "measured nothing of what it was there for (verdict error): the whole run has failed")
    }
    let absent = missing.filter { seen[$0] == nil }
    for index in absent.prefix(Self.mostNamed) {
      problems.append(
        "shard \(index) of \(first.shard.of) is missing: the whole run has failed, and --allow-missing shows the others"
      )
    }
    if absent.count > Self.mostNamed { problems.append("\(absent.count - Self.mostNamed) more shards are missing") }
  }

  private mutating func compare(_ entry: Entry, with first: Entry) {
    let (document, other) = (entry.document, first.document)
    guard document.tool == other.tool else {
      return add(entry, "is of \(document.tool.name), and \(Self.name(first)) of \(other.tool.name)")
    }
    func differ(_ what: String, _ value: String, _ otherValue: String) {
      if value != otherValue { add(entry, "has \(what) \(value), and \(Self.name(first)) \(otherValue)") }
    }
    differ("a whole of", "\(entry.shard.of) shards", "\(first.shard.of) shards")
    differ("the begin", entry.shard.startAt, first.shard.startAt)
    differ("the version", document.version, other.version)
    differ("the target", document.target.kind, other.target.kind)
    let seeds = [document, other].map { $0.parameters["seed"]?.description ?? "none" }
    differ("the seed", seeds[0], seeds[1])
    let (parameters, others) = (document.tool.shaping(document.parameters), other.tool.shaping(other.parameters))
    for name in Set(parameters.keys).union(others.keys).sorted() where parameters[name] != others[name] {
      let (value, otherValue) = (parameters[name] ?? "none", others[name] ?? "none")
      add(entry, "has another load: \(name) is \(value), and \(otherValue) in \(Self.name(first))")
    }
  }

  private mutating func add(_ entry: Entry, _ reason: String) {
    problems.append(PlainText.line("\(Self.name(entry)) \(reason)"))
  }

  private static func name(_ entry: Entry) -> String { "shard \(entry.shard.index) ('\(entry.path)')" }
}
