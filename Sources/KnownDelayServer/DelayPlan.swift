public import Latency

/// The instant of each answer: a pure function of a request's number and arrival, so that the percentiles that a client
/// should measure can be computed beforehand.
public struct DelayPlan: Sendable, Equatable {
  /// The service time of every acquire; zero answers at once.
  public var delay: Nanoseconds
  /// The acquires that take another service time instead.
  public var slow: SlowShare?
  /// The times in which the server answers no request.
  public var stall: Stall?

  /// Every `every`-th acquire has another service time than the rest.
  public struct SlowShare: Sendable, Equatable {
    /// The distance between two such acquires, by the server's count; the first one has this number. At least 1.
    public var every: Int
    /// The service time of such an acquire.
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

  /// The service time of acquire `number`, from 1, without a stall.
  public func delay(ofAcquire number: Int) -> Nanoseconds {
    if let slow, number % slow.every == 0 { return slow.delay }
    return delay
  }

  /// The instant of the answer, on the clock of its arguments.
  ///
  /// A request that arrives in a stall is read at the stall's end, and an answer that falls into a stall is sent at its
  /// end. A client cannot tell this from a server that reads nothing in a stall, because its small request fits into a
  /// socket's buffer either way.
  ///
  /// - Parameters:
  ///   - number: the acquire's number, from 1; nil for any other request, which has no service time.
  ///   - arrival: the request's arrival.
  ///   - epoch: the first acquire's arrival; nil before it, when there is no stall yet.
  public func answerInstant(ofAcquire number: Int?, arrivedAt arrival: Instant, epoch: Instant?) -> Instant {
    let ownDelay = number.map(delay(ofAcquire:)) ?? .zero
    guard let stall, let epoch else { return arrival + ownDelay }
    let readAt = stall.firstHearing(from: arrival, epoch: epoch)
    return stall.firstHearing(from: readAt + ownDelay, epoch: epoch)
  }
}

/// A stall that repeats in the middle of every period since the first acquire, so that a run over whole periods
/// contains whole stalls.
public struct Stall: Sendable, Equatable {
  /// The time without answers; less than ``period``.
  public let length: Nanoseconds
  /// The time from one stall's beginning to the next one's.
  public let period: Nanoseconds

  /// Makes a stall of `length` in every `period`; nil unless 0 < `length` < `period`.
  public init?(length: Nanoseconds, period: Nanoseconds) {
    guard length > .zero, length < period else { return nil }
    self.length = length
    self.period = period
  }

  /// `instant`, or the end of the stall that contains it; not before `epoch`.
  func firstHearing(from instant: Instant, epoch: Instant) -> Instant {
    let phase = (max(instant, epoch) - epoch) % period
    let begin = (period - length) / 2
    let isDeaf = phase >= begin && phase < begin + length
    return isDeaf ? instant + (begin + length - phase) : instant
  }
}
