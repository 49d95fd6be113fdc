/// The metrics and counters that a benchmark has, by name; everything else refers to them by index.
public struct Catalogue: Sendable, Equatable {
  /// The names of the latency metrics, in the order of reports.
  public let metrics: [String]
  /// The names of the counters beside the engine's own, in the order of reports.
  public let counters: [String]

  /// Counters that the engine keeps for every benchmark.
  public static let engineCounters = ["iterations", "errors", "timeouts", "dropped", "censored"]

  /// Makes a catalogue; names are unique.
  public init(metrics: [String], counters: [String]) {
    self.metrics = metrics
    self.counters = counters
  }

  /// The metric called `name`, which must be in the catalogue.
  public func metric(_ name: String) -> Metric {
    guard let index = metrics.firstIndex(of: name) else { preconditionFailure("no metric '\(name)' in the catalogue") }
    return Metric(index: index)
  }

  /// The counter called `name`, which must be in the catalogue.
  public func counter(_ name: String) -> Counter {
    guard let index = counters.firstIndex(of: name) else {
      preconditionFailure("no counter '\(name)' in the catalogue")
    }
    return Counter(index: index)
  }
}

/// A latency metric of a ``Catalogue``.
public struct Metric: Sendable, Hashable {
  let index: Int
}

/// A counter of a ``Catalogue``.
public struct Counter: Sendable, Hashable {
  let index: Int
}
