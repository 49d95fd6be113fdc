import FoundationEssentials
import Glibc
import Latency
import Results

/// What the merge of many shards costs, on made documents: a run of ten minutes has 240 intervals, nine metrics and
/// 20,000 assignments a shard.
///
///     benchmark-shard-merge make DIR SHARDS [INTERVALS] [ASSIGNMENTS]   # writes DIR/0.json, DIR/0.assignments.tsv, …
///     benchmark-shard-merge merge DIR SHARDS                            # a JSON line: seconds, peak memory
@main
struct Main {
  private static let metrics = [
    "warm", "warm_service", "cold", "cold_service", "all", "all_service", "first_byte", "connect", "tls",
  ]
  private static let tool = ToolDescription(
    "bench-concurrent", headlines: ["warm"], metrics: metrics.map { .init($0) },
    counters: [.init("duplicate_assignments", .bad)], parameters: ["rate", "maxInFlight", "timeline"],
    defaultThresholds: [])
  private static let samples = 100_000

  static func main() throws {
    let words = CommandLine.arguments.dropFirst()
    guard words.count >= 3, let directory = words.dropFirst().first, let shards = Int(words.dropFirst(2).first ?? "")
    else {
      print("usage: benchmark-shard-merge make|merge DIR SHARDS [INTERVALS] [ASSIGNMENTS]")
      exit(64)
    }
    let numbers = words.dropFirst(3).compactMap { Int($0) }
    if words.first == "make" {
      try make(directory, shards, intervals: numbers.first ?? 240, assignments: numbers.dropFirst().first ?? 20_000)
    } else {
      try merge(directory, shards)
    }
  }

  private static func make(_ directory: String, _ shards: Int, intervals: Int, assignments: Int) throws {
    var random = Random()
    for index in 0..<shards {
      var document = ResultDocument(
        tool: tool, version: "0.2.0", build: "release", startedAt: "2026-12-01T12:00:00.000Z", durationSeconds: 600,
        verdict: .pass,
        parameters: ["rate": "50000/s", "maxInFlight": 10_000, "timeline": "2.5s", "seed": 1],
        target: .init(kind: "remote", gatewayUrl: "http://gw.test"), environment: .current(environment: [:]),
        metrics: [:],
        counters: [
          "iterations": UInt64(samples), "errors": 0, "timeouts": 0, "dropped": 0, "censored": 0,
          "duplicate_assignments": 0,
        ], errors: [], generator: .init(cpuUtilisation: 1, scheduleLatenessP99Ms: 0.1, backlogMax: 0, saturated: false),
        thresholds: [.init(expression: "warm.p99 < 2s", observed: 1, pass: true)], notes: [])
      for metric in metrics { document.metrics[metric] = MetricDocument(random.histogram(samples)) }
      document.timeline = ResultTimeline(
        (0..<intervals).map { number in
          let histogram = random.histogram(samples / intervals)
          return .interval(
            start: .milliseconds(2500 * number), length: .milliseconds(2500), iterations: histogram.totalCount,
            errors: 0,
            dropped: 0, metric: "all", latencies: LatencySummary(histogram),
            histogram: HistogramV2Codec.encodeCompressedBase64(histogram))
        })
      document.shard = .init(
        index: index, of: shards, startAt: "2026-12-01T12:00:10.000Z", measuredFrom: 0, lastAnswerAt: 600.1,
        firstStartLatenessMs: 0.1, clock: .init(source: .folder, offsetMs: 0, errorMs: 0.1),
        lateness: random.histogram(samples), assignments: assignments)
      try ResultWriter.replace("\(directory)/\(index).json", with: try ResultCoding.encode(document))
      let lines = (0..<assignments).map { number in
        AssignmentFile.Line(
          task: "\(random.next())-\(number)", from: .milliseconds(number * 20), to: .milliseconds(number * 20 + 15))
      }
      try ResultWriter.replace("\(directory)/\(index)\(AssignmentFile.suffix)", with: AssignmentFile.text(lines))
    }
  }

  private static func merge(_ directory: String, _ shards: Int) throws {
    let paths = (0..<shards).map { "\(directory)/\($0).json" }
    let begin = MonotonicClock.now()
    let merged = try ShardMerge.merge(
      paths, allowsMissing: false, reader: ResultReader(tools: ToolDescriptions([tool])))
    let text = try ResultCoding.encode(merged)
    let seconds = MonotonicClock.now().elapsed(since: begin).seconds
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    let sizes = (paths.map { size($0) }, paths.map { size(AssignmentFile.path(besides: $0)) })
    print(
      "{\"shards\": \(shards), \"seconds\": \(seconds), \"peakMB\": \(Double(usage.ru_maxrss) / 1000), "
        + "\"documentKB\": \(sizes.0.reduce(0, +) / shards / 1000), \"assignmentsKB\": \(sizes.1.reduce(0, +) / shards / 1000), "
        + "\"mergedKB\": \(text.utf8.count / 1000), \"samples\": \(merged.metrics["all"]?.count ?? 0)}")
  }

  private static func size(_ path: String) -> Int {
    var status = stat()
    return stat(path, &status) == 0 ? Int(status.st_size) : 0
  }
}

/// SplitMix64 (Steele, Lea, Flood 2014).
struct Random {
  private var state: UInt64 = 1

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var bits = state
    bits = (bits ^ (bits >> 30)) &* 0xbf58_476d_1ce4_e5b9
    bits = (bits ^ (bits >> 27)) &* 0x94d0_49bb_1331_11eb
    return bits ^ (bits >> 31)
  }

  /// Times from 200 µs on, each doubling half as frequent as the one before.
  mutating func histogram(_ samples: Int) -> LatencyHistogram {
    var histogram = LatencyHistogram()
    for _ in 0..<max(1, samples) {
      let bits = next()
      histogram.record(Nanoseconds((200_000 + (bits >> 32) % 200_000) << UInt64(min(9, bits.trailingZeroBitCount))))
    }
    return histogram
  }
}
