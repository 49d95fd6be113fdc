public import Latency

/// What one iteration has to say; it enters the recording whole, or not at all.
public struct IterationRecord: Sendable {
  /// How an iteration ended.
  public enum Ending: Sendable, Equatable {
    /// Done; its samples count.
    case success
    /// Failed: `kind` is what results count errors by. Its samples are dropped, as latencies hold successes only, but those
    /// that were kept.
    case failure(kind: String, example: String)
    /// Given up because the run ended: neither a success nor a failure.
    case censored
  }

  /// How it ended; a success unless somebody says otherwise.
  public private(set) var ending = Ending.success
  /// Open loop: when the start was due.
  public private(set) var intendedAt: Instant?
  /// How long the user had to make ready once more after the start was due, such as to connect again.
  public private(set) var occupiedFor = Nanoseconds.zero
  /// When the first byte of the iteration's first operation was written; nil if none was.
  public private(set) var firstByteWrittenAt: Instant?

  /// How many of the samples, from the first, count whatever becomes of the iteration.
  private(set) var keptCount = 0
  var samples: [(metric: Metric, latency: Nanoseconds)] = []
  var counts: [Counter] = []

  /// Makes an empty record.
  public init() {}

  /// Adds a latency.
  public mutating func sample(_ metric: Metric, _ latency: Nanoseconds) {
    samples.append((metric, latency))
  }

  /// Adds an operation that was begun at `begin`, its first byte written or what else its service begins with, and
  /// ended at `end`. In an open loop its response time runs from the intended start, and its service time is a metric
  /// of its own.
  public mutating func sample(_ operation: Operation, from begin: Instant, to end: Instant) {
    if let intendedAt {
      sample(operation.response, end.elapsed(since: intendedAt))
      sample(operation.service, end.elapsed(since: begin))
    } else {
      sample(operation.response, end.elapsed(since: begin))
    }
  }

  /// Notes that the user had to make ready from `begin` to `end`, stamps of the I/O thread: that is no fault of the
  /// generator's. How late the generator came to it, before and after, is.
  public mutating func occupied(from begin: Instant, to end: Instant) {
    occupiedFor += end.elapsed(since: begin)
  }

  /// The iteration's sample of `metric`; nil if there is none.
  public func value(of metric: Metric) -> Nanoseconds? {
    samples.last { $0.metric == metric }?.latency
  }

  /// The samples so far count whatever becomes of the iteration: what they are of was done, and something else follows.
  public mutating func keepSamples() { keptCount = samples.count }

  /// The samples that count, by how the iteration ended.
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

  /// Kinds of failures, of the whole iteration or of a step such as `ready: timeout`, in which no answer came.
  private static let unanswered: Set<Substring> = [
    "timeout", "connect_timeout", "connect_refused", "connect_failed", "dns", "tls", "reset", "closed",
  ]

  /// Whether the target answered, if only to refuse.
  var wasAnswered: Bool {
    switch ending {
    case .success: true
    // Something was answered before.
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

  /// Empties the record, keeping its memory, for an iteration that was due at `intendedAt` in an open loop.
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
