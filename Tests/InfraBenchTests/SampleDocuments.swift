import Latency

@testable import InfraBench
@testable import Results

/// Documents with every part filled in, for reports and coding.
enum SampleDocuments {
  static func metric(
    _ nanoseconds: [UInt64], failed: FailedPart = .none, resolution: Nanoseconds? = nil
  ) -> MetricDocument? {
    var histogram = LatencyHistogram()
    for value in nanoseconds { histogram.record(value) }
    return MetricDocument(histogram, failed: failed, resolution: resolution)
  }

  static var typical: ResultDocument {
    var document = ResultDocument(
      tool: "bench-allocation", version: "0.2.0", build: "release", label: nil, startedAt: "2026-11-20T21:00:00.123Z",
      durationSeconds: 12.345, verdict: .fail,
      parameters: ["count": 10, "seed": 42, "waitFor": "assigned", "hold": false],
      target: .init(kind: "embedded", gatewayUrl: "http://127.0.0.1:41235", ecsEndpointUrl: nil),
      environment: EnvironmentFacts(
        hostname: "host", os: "Debian GNU/Linux 12", kernel: "Linux 6.1", cpu: "A CPU", logicalCores: 2,
        memoryBytes: 8 << 30, swift: "6.3", gitCommit: nil, clockSource: "tsc"),
      metrics: [:],
      counters: [
        "iterations": 12, "errors": 1, "timeouts": 0, "misses": 1, "cold_starts": 0, "unclassified": 0,
        "duplicate_assignments": 0, "dropped": 0, "censored": 0,
      ],
      errors: [.init(kind: "http_503", count: 1, example: "status 503: busy")],
      generator: .init(
        cpuUtilisation: 0.12, scheduleLatenessP50Ms: 0.04, scheduleLatenessP99Ms: 0.08, backlogMax: 0, saturated: false,
        saturatedReason: nil),
      timeline: nil,
      thresholds: [
        .init(expression: "allocation.mean < 100ms", observed: 48.2, pass: true),
        .init(expression: "allocation.p99 < 50ms", observed: 78.2, pass: false),
        .init(expression: "errors == 0", observed: 1, pass: false),
        .init(expression: "errors.rate < 10%", observed: 8.333, pass: true),
        .init(
          expression: "confirmation.p99 < 1s", observed: nil, pass: true, skipped: true, reason: "there was no sample"),
      ],
      notes: ["the target and the generator share their cores"], findings: ["isolation": "not tested"])
    document.metrics["allocation"] = metric(
      [41, 43, 44, 46, 47, 48, 51, 55, 62, 78].map { $0 * 1_000_000 }, failed: FailedPart(1, of: 12))
    document.metrics["connect"] = metric([830_000])
    document.metrics["gateway_latency"] = metric((1...2000).map { $0 * 10_000 })
    return document
  }

  /// Of bench-exhaustion in two cycles: times that were found by polling.
  static var polled: ResultDocument {
    var document = typical
    document.tool = "bench-exhaustion"
    document.target = .init(kind: "remote", gatewayUrl: nil, ecsEndpointUrl: "https://ecs.eu-west-1.amazonaws.com/")
    document.parameters = ["cycles": 2, "drainBy": "stop-tasks", "pollInterval": "500ms", "service": "warm"]
    document.metrics = [:]
    document.metrics["refill_full"] = metric([24_300_000_000, 24_800_000_000], resolution: 500_000_000)
    document.metrics["drain"] = metric([120_000_000, 140_000_000])
    document.counters = ["iterations": 2, "errors": 0, "timeouts": 0, "polls": 120, "throttled_polls": 1]
    document.errors = []
    document.thresholds = [
      .init(
        expression: "refill_full.max < 24.5s", observed: 24_800, pass: false,
        reason: "polls show it to within 500ms: it may have been as short as 24.3s, and the upper end is judged")
    ]
    let refill: JSONValue = "23.800–24.300 s (resolution 0.500 s)"
    document.findings = [
      "cycle_10": .object(["drained": 1, "refill_full": "24.300–24.800 s (resolution 0.500 s)"]),
      "cycle_9": .object(["drained": 1, "refill_full": refill]), "poll_rate": "1.96/s of 2.00/s, longest gap 1.020 s",
    ]
    document.timeline = [
      ["t": 0.5, "listed": 2, "running": 2], ["t": 1, "listed": nil, "running": nil, "gap": "throttled"],
      ["t": 2, "listed": 2, "running": 0],
    ]
    return document
  }

  /// As load runs write it, with an interval in which nothing was finished.
  static let loadTimeline: ResultTimeline = [
    [
      "t": 0, "seconds": 1, "iterations": 500, "errors": 0, "dropped": 0, "metric": "allocation", "count": 500,
      "p50": 1.2,
      "p90": 2, "p95": 2.5, "p99": 3.4, "max": 5.6,
    ],
    ["t": 1, "seconds": 1, "iterations": 0, "errors": 0, "dropped": 2, "metric": "allocation", "count": 0],
    [
      "t": 2, "seconds": 0.5, "iterations": 120, "errors": 1, "dropped": 0, "metric": "allocation", "count": 119,
      "p50": 0.25, "p90": 0.5, "p95": 0.75, "p99": 1500, "max": 1500.5, "added_later": "x",
    ],
  ]

  /// Everything that came from elsewhere is as hostile as it can be.
  static var hostile: ResultDocument {
    let text = "<script>|`x`*_[a](b)\\ \u{1b}[31m\r\n# heading\n| cell |\u{7f}\u{9b}&"
    var document = typical
    document.label = text
    document.saturate(text)
    document.errors = [.init(kind: "refused", count: 1, example: text)]
    document.notes = [text]
    document.findings = ["isolation": .string(text)]
    document.parameters["userId"] = .string(text)
    document.environment.hostname = text
    document.target.gatewayUrl = "http://h/" + text
    document.timeline = [["t": 0.5, "warm": .string(text)]]
    return document
  }
}

extension ResultDocument {
  fileprivate mutating func saturate(_ reason: String) {
    generator.saturated = true
    generator.saturatedReason = reason
  }
}

extension JSONValue: ExpressibleByFloatLiteral {
  /// A number with a fraction.
  public init(floatLiteral value: Double) { self = .double(value) }
}
