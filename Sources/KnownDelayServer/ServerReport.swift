import FoundationEssentials
import Latency

/// What the server itself saw: the truth that a load generator's figures are held against. One JSON line.
public struct ServerReport: Codable, Sendable, Equatable {
  /// Percentiles of what the acquires took by the server's own stamps: from the read that completed a request to the return of
  /// the write of its answer, in ms.
  public struct Latencies: Codable, Sendable, Equatable {
    /// The median.
    public var p50: Double
    /// The 95th percentile.
    public var p95: Double
    /// The 99th percentile.
    public var p99: Double
    /// The 99.9th percentile.
    public var p999: Double
    /// The longest.
    public var max: Double
  }

  /// `"report"`.
  public var event = "report"
  /// Answered acquires.
  public var acquires: Int
  /// Answered releases.
  public var releases: Int
  /// Everything else that was answered, 404s too.
  public var otherRequests: Int
  /// Connections that sent what is no request; they were closed.
  public var malformed: Int
  /// Accepted connections, those that have ended too.
  public var connections: Int
  /// Nil without an acquire.
  public var acquireMs: Latencies?

  init(counts: ServerCounts) {
    acquires = counts.acquires
    releases = counts.releases
    otherRequests = counts.otherRequests
    malformed = counts.malformed
    connections = counts.connections
    guard !counts.acquireTimes.isEmpty else { return }
    let values = counts.acquireTimes.values(atPercentiles: [50, 95, 99, 99.9]).map { Double($0) / 1e6 }
    acquireMs = Latencies(
      p50: values[0], p95: values[1], p99: values[2], p999: values[3], max: Double(counts.acquireTimes.max) / 1e6)
  }

  /// The report as one line of JSON, with its end.
  func line() -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    return ((try? encoder.encode(self)).map(Array.init) ?? []) + [UInt8(ascii: "\n")]
  }
}

/// The counts behind a report.
struct ServerCounts: Sendable {
  var acquires = 0
  var releases = 0
  var otherRequests = 0
  var malformed = 0
  var connections = 0
  var acquireTimes = LatencyHistogram()
}
