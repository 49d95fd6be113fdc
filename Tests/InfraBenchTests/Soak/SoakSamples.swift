import Latency

@testable import InfraBench
@testable import Results

/// Soaks made of whole cloth.
enum SoakSamples {
  static let head = SoakHead(
    tool: "bench-e2e", version: "0.2.0", build: "release", label: nil, startedAt: "2026-12-01T03:00:00.000Z",
    everySeconds: 60, parameters: ["duration": "8h", "timeout": "30s"],
    target: .init(kind: "embedded", gatewayUrl: "http://127.0.0.1:41235", ecsEndpointUrl: nil, profile: "embedded"),
    environment: SampleDocuments.typical.environment,
    thresholds: [
      .init(expression: "end_to_end.p99 < 2s", isDefault: true),
      .init(expression: "errors.rate < 50%", isDefault: false),
      .init(expression: "rss_growth < 1%", isDefault: false), .init(expression: "empty.rate < 1%", isDefault: false),
    ], untested: ["leaked_tasks"], notes: ["known before"])

  /// Minute `number` from 0, with `latencies` in ms.
  static func minute(
    _ number: Int, latencies: [UInt64] = [20, 30], errors: UInt64 = 0, rss: UInt64 = 50_000_000, empty: Double = 0,
    seconds: Double = 60
  ) -> SoakMinute {
    var histogram = LatencyHistogram()
    for latency in latencies { histogram.record(latency * 1_000_000) }
    return SoakMinute(
      t: Double(number) * 60, seconds: seconds,
      counters: [
        "iterations": UInt64(latencies.count) + errors, "errors": errors, "timeouts": 0, "dropped": 0, "censored": 0,
      ], errors: errors > 0 ? [.init(kind: "ready: closed", count: errors, example: "the gateway closed")] : [],
      histograms: latencies.isEmpty ? [:] : ["end_to_end": HistogramV2Codec.encodeCompressedBase64(histogram)],
      tool: .init(rssBytes: rss, descriptors: 20, threads: 7, cpu: 0.05),
      pool: .init(watchedSeconds: seconds, emptySeconds: empty, warm: 4.5, assigned: 0.5, starting: 0.25))
  }

  static func rebuilt(_ minutes: [SoakMinute], head: SoakHead = head, end: SoakEnd? = nil) throws -> ResultDocument {
    var rebuild = SoakRebuild(head)
    for minute in minutes { try rebuild.add(minute) }
    if let end { rebuild.finish(end) }
    return rebuild.document(file: "030000Z-bench-e2e.soak.ndjson", remarks: [])
  }

  static func text(_ lines: [SoakLine]) throws -> String { try lines.map(SoakCodec.encode).joined() }
}
