public import Glibc

/// The one clock of every measurement: `CLOCK_MONOTONIC`.
///
/// Instants of different processes on one machine are comparable; instants of this clock and of any other are not.
public enum MonotonicClock {
  /// The present instant.
  @inlinable
  public static func now() -> Instant {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Instant(nanoseconds: Nanoseconds(time).nanoseconds)
  }
}

extension Nanoseconds {
  /// The time that a clock of the system shows: CPU time is a length, and so is the age of ``MonotonicClock``.
  ///
  /// It wraps around after 584 years instead of being checked for overflow, as no clock of the system gets that far.
  @inlinable
  public init(_ time: timespec) {
    self.init(UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec))
  }
}

/// An instant of ``MonotonicClock``, to the nanosecond.
///
/// ```swift
/// let sentAt = MonotonicClock.now()
/// let deadline = sentAt + .seconds(30)
/// …
/// let receivedAt = MonotonicClock.now()
/// if receivedAt < deadline { histogram.record(receivedAt - sentAt) }
/// ```
///
/// - `later - earlier` is the length between two instants whose order is certain: it traps where they are the other way
///   round, as that is a mistake of the program.
/// - `instant.elapsed(since:)` is for two whose order is not: stamps of two threads, or a moment that may be still to come.
///   It is zero where the other one is later.
/// - An instant that a length is added to or taken from stays between ``distantPast`` and ``distantFuture``: a deadline after
///   ``Nanoseconds/max`` never comes.
@frozen
public struct Instant: Sendable, Hashable, Comparable {
  /// Since a moment that is arbitrary, and the same for all processes until the machine is started anew.
  public let nanoseconds: UInt64

  /// The instant so many nanoseconds after ``distantPast``.
  @inlinable
  public init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

  /// The clock's first instant.
  @inlinable public static var distantPast: Instant { Instant(nanoseconds: 0) }
  /// The clock's last instant, which never comes.
  @inlinable public static var distantFuture: Instant { Instant(nanoseconds: .max) }

  /// How long after `earlier` this instant is; zero where it is before it.
  @inlinable
  public func elapsed(since earlier: Instant) -> Nanoseconds {
    Nanoseconds(nanoseconds) - Nanoseconds(earlier.nanoseconds)
  }

  /// How long before `later` this instant is; zero where it is after it: a deadline that has passed.
  @inlinable
  public func remaining(until later: Instant) -> Nanoseconds { later.elapsed(since: self) }

  /// The length between two instants.
  ///
  /// - Precondition: the first is not before the second. Where that isn't certain: ``elapsed(since:)``.
  @inlinable
  public static func - (later: Instant, earlier: Instant) -> Nanoseconds {
    Nanoseconds(later.nanoseconds - earlier.nanoseconds)
  }

  /// The instant a length later, at most ``distantFuture``.
  @inlinable
  public static func + (instant: Instant, length: Nanoseconds) -> Instant {
    Instant(nanoseconds: (Nanoseconds(instant.nanoseconds) + length).nanoseconds)
  }

  /// Puts an instant off by a length; it is at most ``distantFuture``.
  @inlinable
  public static func += (instant: inout Instant, length: Nanoseconds) { instant = instant + length }

  /// The instant a length earlier, at least ``distantPast``.
  @inlinable
  public static func - (instant: Instant, length: Nanoseconds) -> Instant {
    Instant(nanoseconds: (Nanoseconds(instant.nanoseconds) - length).nanoseconds)
  }

  /// Whether both are the same instant.
  @inlinable
  public static func == (one: Instant, other: Instant) -> Bool { one.nanoseconds == other.nanoseconds }

  /// Whether the first comes before the second.
  @inlinable
  public static func < (one: Instant, other: Instant) -> Bool { one.nanoseconds < other.nanoseconds }

  /// Feeds the number to the hasher.
  @inlinable
  public func hash(into hasher: inout Hasher) { hasher.combine(nanoseconds) }
}
