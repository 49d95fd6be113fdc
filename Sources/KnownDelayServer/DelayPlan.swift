public import Latency

/// When each request is answered: a pure function of its number and its arrival, so that every percentile a client should see
/// can be worked out beforehand.
public struct DelayPlan: Sendable, Equatable {
  /// How long every acquire takes; zero answers at once.
  public var delay: Nanoseconds
  /// Some acquires take longer instead.
  public var slow: SlowShare?
  /// Times in which nothing at all is answered.
  public var stall: Stall?

  /// Every `every`-th acquire takes another time than the rest.
  public struct SlowShare: Sendable, Equatable {
    /// The distance between two such acquires, by the server's count; the first one has this number. At least 1.
    public var every: Int
    /// How long it takes.
    public var delay: Nanoseconds

    /// Makes a share of 1 in `every` acquires that takes `delay`.
    public init(every: Int, delay: Nanoseconds) {
      self.every = every
      self.delay = delay
    }
  }

  /// Makes a plan; without arguments it answers at once.
  public init(delay: Nanoseconds = .zero, slow: SlowShare? = nil, stall: Stall? = nil) {
    self.delay = delay
    self.slow = slow
    self.stall = stall
  }

  /// How long acquire `number`, from 1, takes without a stall.
  public func delay(ofAcquire number: Int) -> Nanoseconds {
    if let slow, number % slow.every == 0 { return slow.delay }
    return delay
  }

  /// The instant of the answer, on the clock of its arguments.
  ///
  /// What arrives in a stall is read at the stall's end, and what would be answered in one is answered at its end: a
  /// client can't tell that from a server that reads nothing meanwhile, as its small request lies in a socket's buffer
  /// either way.
  ///
  /// - Parameters:
  ///   - number: which acquire it is, from 1; nil for any other request, which takes no time of its own.
  ///   - arrival: when it arrived.
  ///   - epoch: when the first acquire arrived; nil before that, when there is no stall yet.
  public func answerInstant(ofAcquire number: Int?, arrivedAt arrival: Instant, epoch: Instant?) -> Instant {
    let ownDelay = number.map(delay(ofAcquire:)) ?? .zero
    guard let stall, let epoch else { return arrival + ownDelay }
    let readAt = stall.firstHearing(from: arrival, epoch: epoch)
    return stall.firstHearing(from: readAt + ownDelay, epoch: epoch)
  }
}

/// A server that stops answering again and again: in the middle of every period since the first acquire, so that a run over
/// whole periods holds whole stalls.
public struct Stall: Sendable, Equatable {
  /// How long it does not answer; less than ``period``.
  public let length: Nanoseconds
  /// From one stall's beginning to the next one's.
  public let period: Nanoseconds

  /// Makes a stall of `length` in every `period`; nil unless 0 < `length` < `period`.
  public init?(length: Nanoseconds, period: Nanoseconds) {
    guard length > .zero, length < period else { return nil }
    self.length = length
    self.period = period
  }

  /// `instant`, or the end of the stall that it lies in; not before `epoch`.
  func firstHearing(from instant: Instant, epoch: Instant) -> Instant {
    let phase = (max(instant, epoch) - epoch) % period
    let begin = (period - length) / 2
    let isDeaf = phase >= begin && phase < begin + length
    return isDeaf ? instant + (begin + length - phase) : instant
  }
}
