public import Latency

/// What one iteration records. It enters the ``Recording`` as a whole or not at all.
public struct IterationRecord: Sendable {
  /// How an iteration ended.
  public enum Ending: Sendable, Equatable {
    /// It succeeded; its samples count.
    case success
    /// It failed; results count errors by `kind`. Latencies hold successes only, so its samples are dropped except
    /// those of ``IterationRecord/keepSamples()``.
    case failure(kind: String, example: String)
    /// Given up because the run ended: neither a success nor a failure.
    case censored
  }

  /// How it ended; a success unless ``fail(_:_:)`` or ``censor()`` was called.
  public private(set) var ending = Ending.success
  /// When the start was due; nil in a closed loop.
  public private(set) var intendedAt: Instant?
  /// How long the user prepared after the start was due, such as to connect again.
  public private(set) var occupiedFor = Nanoseconds.zero
  /// When the first byte of the iteration's first operation was written; nil if none was.
  public private(set) var firstByteWrittenAt: Instant?

  /// How many samples, from the first, count however the iteration ends.
  private(set) var keptCount = 0
  var samples: [(metric: Metric, latency: Nanoseconds)] = []
  var counts: [Counter] = []

  /// Makes an empty record.
  public init() {}

  /// Adds a latency.
  public mutating func sample(_ metric: Metric, _ latency: Nanoseconds) {
    samples.append((metric, latency))
  }

  /// Adds an operation whose service began at `begin`, usually with its first byte written, and ended at `end`. In an
  /// open loop its response time runs from the intended start, and its service time goes to a metric of its own.
  public mutating func sample(_ operation: Operation, from begin: Instant, to end: Instant) {
    if let intendedAt {
      sample(operation.response, end.elapsed(since: intendedAt))
      sample(operation.service, end.elapsed(since: begin))
    } else {
      sample(operation.response, end.elapsed(since: begin))
    }
  }

  /// Notes that the user prepared from `begin` to `end`, stamps of the I/O thread. This time is not lateness of the
  /// generator; delays before and after it are.
  public mutating func occupied(from begin: Instant, to end: Instant) {
    occupiedFor += end.elapsed(since: begin)
  }

  /// The iteration's last sample of `metric`; nil if it has none.
  public func value(of metric: Metric) -> Nanoseconds? {
    samples.last { $0.metric == metric }?.latency
  }

  /// Makes the samples so far count however the iteration ends: the operation that they measure was done, and another
  /// one follows.
  public mutating func keepSamples() { keptCount = samples.count }

  /// The samples that count after this ending.
  var countingSamples: ArraySlice<(metric: Metric, latency: Nanoseconds)> {
    ending == .success ? samples[...] : samples.prefix(keptCount)
  }

  /// Adds one to a counter. Counters count in failed iterations as well.
  public mutating func count(_ counter: Counter) {
    counts.append(counter)
  }

  /// Notes the first write of the iteration; later ones are ignored.
  public mutating func wrote(at instant: Instant) {
    if firstByteWrittenAt == nil { firstByteWrittenAt = instant }
  }

  /// Ends the iteration as a failure; the first failure stands.
  public mutating func fail(_ kind: String, _ example: String) {
    if ending == .success { ending = .failure(kind: kind, example: example) }
  }

  /// Kinds of failures without an answer. A kind may have its step in front, as in `ready: timeout`.
  private static let unanswered: Set<Substring> = [
    "timeout", "connect_timeout", "connect_refused", "connect_failed", "dns", "tls", "reset", "closed",
  ]

  /// Whether the target answered; a refusal is an answer.
  var wasAnswered: Bool {
    switch ending {
    case .success: true
    // An earlier operation was answered.
    case .failure where keptCount > 0: true
    case .failure(let kind, _): !Self.unanswered.contains(kind.split(separator: " ").last ?? "")
    case .censored: false
    }
  }

  var isFailure: Bool {
    if case .failure = ending { true } else { false }
  }

  /// Ends the iteration as given up.
  public mutating func censor() {
    ending = .censored
  }

  /// Empties the record, keeping its memory. In an open loop the next iteration was due at `intendedAt`.
  mutating func reset(intendedAt: Instant? = nil) {
    ending = .success
    self.intendedAt = intendedAt
    occupiedFor = .zero
    firstByteWrittenAt = nil
    samples.removeAll(keepingCapacity: true)
    keptCount = 0
    counts.removeAll(keepingCapacity: true)
  }
}
