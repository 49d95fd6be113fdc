public import Latency

/// Everything recorded in a run, or in one loop's part of it. Merging is exact.
public struct Recording: Sendable {
  /// The names of the metrics and counters.
  public let catalogue: Catalogue
  /// Finished iterations: successes and failures, without warm-up.
  public private(set) var iterations: UInt64 = 0
  /// Iterations that the end of the run cut off.
  public private(set) var censored: UInt64 = 0
  /// Starts that came due while no user was free and were given up for that reason.
  public private(set) var dropped: UInt64 = 0
  /// Dropped starts that a user had been free for: the generator came too late. They count into ``lateness``.
  public private(set) var missed: UInt64 = 0
  /// Failures by kind.
  public private(set) var errors = ErrorTally()
  /// How late the generator started iterations. Delays by the target are not in it.
  public private(set) var lateness = LatencyHistogram()

  /// When the last iteration that the target answered ended; nil without one. `lastUnansweredAt` is that of the last
  /// iteration without an answer.
  public internal(set) var lastAnswerAt: Instant?
  var lastUnansweredAt: Instant?
  /// The earliest first byte of a measured iteration, and when its start was due, which a closed loop does not know.
  public private(set) var firstStart: (intendedAt: Instant?, writtenAt: Instant)?

  /// When the last iteration ended, answered or not; nil without one.
  public var lastEndAt: Instant? { [lastAnswerAt, lastUnansweredAt].compactMap(\.self).max() }

  private var histograms: [LatencyHistogram?]
  private var counts: [UInt64]

  /// Makes an empty recording.
  ///
  /// - Parameter isReserved: Whether the memory of all histograms is taken now: about 270 kB a metric. Else a metric's
  ///   first sample takes it.
  public init(_ catalogue: Catalogue, isReserved: Bool = false) {
    self.catalogue = catalogue
    // Each is made by itself: equal ones would share their memory until the first sample.
    histograms = catalogue.metrics.map { _ in isReserved ? LatencyHistogram() : nil }
    counts = Array(repeating: 0, count: catalogue.counters.count)
  }

  /// The latencies of `metric`; nil when it got no sample.
  public subscript(metric: Metric) -> LatencyHistogram? {
    histograms[metric.index].flatMap { $0.isEmpty ? nil : $0 }
  }

  /// The value of `counter`.
  public subscript(counter: Counter) -> UInt64 { counts[counter.index] }

  /// Adds one latency outside of any iteration.
  public mutating func sample(_ metric: Metric, _ latency: Nanoseconds) {
    // The histogram is modified in place: a copy would move 270 KB.
    if histograms[metric.index] == nil { histograms[metric.index] = LatencyHistogram() }
    histograms[metric.index]?.record(latency)
  }

  /// Adds to a counter outside of any iteration.
  public mutating func count(_ counter: Counter, by number: UInt64 = 1) {
    counts[counter.index] += number
  }

  /// Counts a failure outside of any iteration.
  public mutating func fail(_ kind: String, _ example: String) {
    errors.add(kind: kind, example: example)
  }

  /// Counts starts that were due and never begun because the run ended.
  mutating func censor(_ number: UInt64) { censored += number }

  /// Counts starts that were dropped.
  mutating func drop(_ number: UInt64) { dropped += number }

  /// Counts dropped starts that a user had been free for, and adds how late the generator came to them.
  mutating func miss(_ number: UInt64, lateness: LatencyHistogram?) {
    missed += number
    if let lateness { self.lateness.merge(ofSameLayout: lateness) }
  }

  /// Adds a finished iteration. `dueAt` is the instant from which its start was due and its user free; `endedAt` is its
  /// end.
  public mutating func add(_ record: IterationRecord, dueAt: Instant, endedAt: Instant? = nil) {
    if let endedAt {
      if record.wasAnswered {
        lastAnswerAt = max(lastAnswerAt ?? .distantPast, endedAt)
      } else {
        lastUnansweredAt = max(lastUnansweredAt ?? .distantPast, endedAt)
      }
    }
    if let writtenAt = record.firstByteWrittenAt {
      lateness.record(max(1, writtenAt.elapsed(since: dueAt)))
      began((record.intendedAt, writtenAt))
    }
    for (metric, latency) in record.countingSamples { sample(metric, latency) }
    switch record.ending {
    case .success:
      iterations += 1
    case .failure(let kind, let example):
      iterations += 1
      errors.add(kind: kind, example: example)
    case .censored:
      censored += 1
      return
    }
    for counter in record.counts { count(counter) }
  }

  private mutating func began(_ start: (intendedAt: Instant?, writtenAt: Instant)) {
    if let firstStart, firstStart.writtenAt <= start.writtenAt { return }
    firstStart = start
  }

  /// Adds another recording of the same catalogue.
  public mutating func merge(_ other: Recording) {
    precondition(catalogue == other.catalogue, "only recordings of the same benchmark are merged")
    iterations += other.iterations
    censored += other.censored
    errors.merge(other.errors)
    dropped += other.dropped
    missed += other.missed
    if let instant = other.lastAnswerAt { lastAnswerAt = max(lastAnswerAt ?? .distantPast, instant) }
    if let instant = other.lastUnansweredAt { lastUnansweredAt = max(lastUnansweredAt ?? .distantPast, instant) }
    lateness.merge(ofSameLayout: other.lateness)
    if let start = other.firstStart { began(start) }
    for (index, histogram) in other.histograms.enumerated() {
      guard let histogram, !histogram.isEmpty else { continue }
      Self.merge(histogram, into: &histograms[index])
    }
    for (index, number) in other.counts.enumerated() { counts[index] += number }
  }

  /// Empties it, and keeps the memory of its histograms.
  mutating func reset() {
    (iterations, censored, dropped, missed) = (0, 0, 0, 0)
    errors = ErrorTally()
    (lastAnswerAt, lastUnansweredAt, firstStart) = (nil, nil, nil)
    lateness.reset()
    for index in histograms.indices { histograms[index]?.reset() }
    for index in counts.indices { counts[index] = 0 }
  }

  private static func merge(_ histogram: LatencyHistogram, into sum: inout LatencyHistogram?) {
    if var existing = sum.take() {
      existing.merge(ofSameLayout: histogram)
      sum = existing
    } else {
      sum = histogram
    }
  }
}

extension LatencyHistogram {
  /// All histograms of recordings have one layout, so this merge cannot fail.
  mutating func merge(ofSameLayout other: LatencyHistogram) {
    do { try merge(other) } catch { preconditionFailure("\(error)") }
  }
}
