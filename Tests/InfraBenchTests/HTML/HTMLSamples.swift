import Latency

@testable import InfraBench
@testable import Results

/// Documents whose pages have every part.
enum HTMLSamples {
  /// A load run with histograms by interval, errors, marks and a saturated generator.
  static var load: ResultDocument {
    var document = SampleDocuments.typical
    document.label = "nightly"
    document.generator.saturated = true
    document.generator.saturatedReason = "a loop used the CPU for 97 % of a second"
    document.parameters["maxInFlight"] = 100
    document.notes += (2...8).map { "note \($0)" }
    let rows = (0..<12).map { second -> ResultTimeline.Row in
      // Slower in the middle, and nothing at all in the ninth second.
      let values: [UInt64] = second == 9 ? [] : (1...40).map { 1_000_000 * (second == 5 ? 20 : 2) + $0 * 50_000 }
      return interval(Double(second), values)
    }
    document.timeline = ResultTimeline(rows)
    document.metrics["allocation"] = SampleDocuments.metric(
      (0..<12).flatMap { _ in (1...40).map { 2_000_000 + $0 * 50_000 } })
    return document
  }

  static func interval(_ start: Double, _ nanoseconds: [UInt64]) -> ResultTimeline.Row {
    var row: ResultTimeline.Row = [
      "t": .double(start), "seconds": 1, "iterations": .int(Int64(nanoseconds.count)), "errors": 0, "dropped": 0,
      "metric": "allocation", "count": .int(Int64(nanoseconds.count)),
    ]
    guard let metric = SampleDocuments.metric(nanoseconds) else { return row }
    for (name, value) in [("p50", metric.p50), ("p95", metric.p95), ("p99", metric.p99), ("max", metric.max)] {
      row[name] = .double(value)
    }
    row["histogram"] = .string(metric.histogram.data)
    return row
  }

  /// A user's whole way, warm and cold.
  static var endToEnd: ResultDocument {
    var document = SampleDocuments.typical
    document.tool = "bench-e2e"
    document.metrics = [:]
    let means: [(String, UInt64)] = [
      ("end_to_end", 380), ("acquire", 47), ("init_user", 240), ("workspace", 40), ("process_start", 180),
      ("first_response", 60), ("end_to_end_cold", 5400), ("run_task", 900), ("pending_to_running", 3700),
      ("wait_connection", 1400),
    ]
    for (name, mean) in means { document.metrics[name] = SampleDocuments.metric([mean * 1_000_000]) }
    return document
  }

  /// Of bench-exhaustion in two cycles, with missed looks.
  static var pool: ResultDocument {
    var document = SampleDocuments.polled
    document.findings = [
      "cycle_1": .object(["t0": "1.000 s into the timeline", "refill_full": "2.500–3.000 s (resolution 0.500 s)"]),
      "cycle_2": .object(["t0": "6.000 s into the timeline", "refill_full": "before t0"]),
    ]
    document.timeline = [
      ["t": 0, "listed": 3, "running": 3, "warm": 3], ["t": 1, "listed": 3, "running": 0, "warm": 0],
      ["t": 2, "listed": nil, "running": nil, "warm": 0, "gap": "throttled"],
      ["t": 3, "listed": nil, "running": nil, "warm": 1, "gap": "throttled"],
      ["t": 4, "listed": 3, "running": 3, "warm": 3], ["t": 8, "listed": 3, "running": 3, "warm": 3],
    ]
    return document
  }

  /// Everything that came from elsewhere is `text`.
  static func filled(with text: String) -> ResultDocument {
    var document = load
    document.label = text
    document.notes = [text, text]
    document.errors = [.init(kind: text, count: 1, example: text)]
    document.parameters["userId"] = .string(text)
    document.parameters[text] = .string(text)
    document.findings = ["isolation": .string(text), text: .object([text: .string(text)])]
    document.target = .init(
      kind: text, gatewayUrl: text, ecsEndpointUrl: text, directory: nil, fileSystem: .object([text: .string(text)]))
    document.environment.hostname = text
    document.environment.cpu = text
    document.environment.gitCommit = text
    document.generator.saturatedReason = text
    document.thresholds.append(.init(expression: text, observed: 1, pass: false, reason: text))
    document.metrics[text] = document.metrics["gateway_latency"]
    document.counters[text] = 1
    let rows = (document.timeline?.rows ?? []).map { row in
      row.merging([text: .string(text), "metric": .string(text), "warm": 1, "gap": .string(text)]) { $1 }
    }
    document.timeline = ResultTimeline(rows)
    document.version = text
    document.startedAt = text
    return document
  }

  /// What would be markup, a script, an address that is fetched, or a text that lies about itself.
  static let hostile = [
    "\"><script>document.title='owned'</script>", "</title></style><script>document.title='owned'</script>",
    "'><img src=x onerror=\"document.title='owned'\">", "<svg/onload=document.title='owned'>",
    "javascript:document.title='owned'", "]]><!--<iframe src=\"http://127.0.0.1:9/\">", "a\u{0}b\u{7}\u{1b}[31m",
    "\u{202e}gnp.exe\u{2066}\u{2069}\u{fffe}", "&lt;script&gt;", "</svg></table></main></body></html><base href=//x>",
    "\" style=\"background:url(http://127.0.0.1:9/)\" onmouseover=\"x\" a=\"",
  ].joined(separator: " ")
}
