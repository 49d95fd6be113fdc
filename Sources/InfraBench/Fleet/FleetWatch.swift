import Latency
import Results
import TextFormatting

/// Which shards have ended, and how.
struct FleetWatch {
  private let shards: Int
  private(set) var ended: [Int: ShardEnd] = [:]

  init(shards: Int) { self.shards = shards }

  var areAllEnded: Bool { ended.count == shards }

  /// Whether a shard has ended without a result that counts.
  var hasFailure: Bool { ended.values.contains { !$0.mayHaveResult } }

  mutating func look(at launcher: any ShardLauncher) async {
    for shard in 0..<shards where ended[shard] == nil { ended[shard] = await launcher.end(of: shard) }
  }

  /// Takes the shards that go on for ended.
  mutating func giveUp(_ reason: String) {
    for shard in 0..<shards where ended[shard] == nil { ended[shard] = .lost(reason) }
  }

  /// A sentence for each shard that failed, by its name. A shard that was ended because of another one is none of them.
  func failures(_ folder: FleetRunFolder, isInterrupted: Bool) -> [String] {
    ended.sorted { $0.key < $1.key }.compactMap { shard, end in
      if end.mayHaveResult { return nil }
      // A shard that was interrupted before the begin has nothing to write.
      if isInterrupted, case .exited = end { return nil }
      let ready = folder.shared.record(ShardReadiness.self, in: "ready/\(shard)")
      let host = ready.map { " (\(PlainText.line($0.hostname)))" } ?? ""
      let words = folder.lastWords(of: shard).map { ": \($0)" } ?? ""
      return "shard \(shard)\(host) has failed (\(end.words))\(words)"
    }
  }
}

/// The state of all shards in one line.
struct FleetLine {
  private let shards: Int
  private let begin = MonotonicClock.now()
  private var rate: RecentRate
  private var shownAt: Instant?

  private static let liveInterval: Nanoseconds = .milliseconds(500)
  private static let plainInterval: Nanoseconds = .seconds(10)

  init(shards: Int) {
    self.shards = shards
    rate = RecentRate(begin: begin)
  }

  /// The line, where one is due.
  mutating func text(_ progress: (Int) -> ShardProgress?, _ console: Console) -> String? {
    let now = MonotonicClock.now()
    let interval = console.hasLiveLine ? Self.liveInterval : Self.plainInterval
    guard now.elapsed(since: shownAt ?? begin) >= interval else { return nil }
    shownAt = now
    let all = (0..<shards).compactMap(progress)
    guard !all.isEmpty else { return nil }
    let done = all.reduce(0) { $0 + $1.done }
    return Self.text(all, of: shards, rate: rate.add(at: now, done: done))
  }

  /// `4 shards: 2400 done, 200/s, 0 failed, 3 dropped, 7 waiting, P99 at most 4.10ms, 12 in flight`. The percentile of
  /// all is at most the highest of the shards'; which it is, only the merge can say.
  static func text(_ all: [ShardProgress], of shards: Int, rate: Double) -> String {
    func sum(_ part: KeyPath<ShardProgress, UInt64>) -> UInt64 { all.reduce(0) { $0 + $1[keyPath: part] } }
    var facts = ["\(sum(\.done)) done", "\(NumberText.fixed(rate, significant: 3))/s", "\(sum(\.failed)) failed"]
    if sum(\.dropped) > 0 { facts.append("\(sum(\.dropped)) dropped") }
    if sum(\.waiting) > 0 { facts.append("\(sum(\.waiting)) waiting") }
    if let p99 = all.compactMap(\.p99).max() { facts.append("P99 at most \(Nanoseconds(p99))") }
    if sum(\.inFlight) > 0 { facts.append("\(sum(\.inFlight)) in flight") }
    return "\(all.count == shards ? "\(shards)" : "\(all.count) of \(shards)") shards: " + facts.joined(separator: ", ")
  }
}
