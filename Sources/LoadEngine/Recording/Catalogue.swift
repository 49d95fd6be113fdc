/// The names of a benchmark's metrics and counters. Everything else refers to them by index.
public struct Catalogue: Sendable, Equatable {
  /// The names of the latency metrics, in the order of reports: the first one is the headline.
  public let metrics: [String]
  /// The names of the benchmark's own counters, without those that every benchmark has, in the order of reports.
  public let counters: [String]

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

  /// The operation called `name`: the metric of that name and `<name>_service`, which must both be in the catalogue.
  public func operation(_ name: String) -> Operation {
    Operation(response: metric(name), service: metric(name + "_service"))
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

/// A pair of metrics for one operation: the response time, from the intended start, and the service time, from the
/// first byte written. An open loop records both. In a closed loop they are equal, and only the response time is
/// recorded.
public struct Operation: Sendable, Hashable {
  /// The response time; in a closed loop it equals the service time.
  public let response: Metric
  /// The service time; recorded in an open loop only.
  public let service: Metric
}

/// A counter of a ``Catalogue``.
public struct Counter: Sendable, Hashable {
  let index: Int
}
