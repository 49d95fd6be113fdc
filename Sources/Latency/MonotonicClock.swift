public import Glibc

/// The clock of all measurements: `CLOCK_MONOTONIC`.
///
/// Instants of different processes on one machine are comparable. Instants of different clocks are not.
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
  /// Converts the reading of a system clock. A clock of CPU time gives a length, and so does the age of
  /// ``MonotonicClock``.
  ///
  /// Overflow is not checked: the length wraps around after 584 years, which no system clock reaches.
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
/// // the answer is awaited
/// let receivedAt = MonotonicClock.now()
/// if receivedAt < deadline { histogram.record(receivedAt - sentAt) }
/// ```
///
/// - `later - earlier` is the length between two instants whose order is certain. It traps in the reverse order,
///   because that is a mistake in the program.
/// - `instant.elapsed(since:)` serves instants in an uncertain order, such as stamps of two threads, or an instant that
///   may lie in the future. It is zero if the other instant is later.
/// - Adding or subtracting a length keeps the instant between ``distantPast`` and ``distantFuture``: a deadline after
///   ``Nanoseconds/max`` never comes.
@frozen
public struct Instant: Sendable, Hashable, Comparable {
  /// The time since an arbitrary moment, which all processes share until the machine restarts.
  public let nanoseconds: UInt64

  /// Makes the instant `nanoseconds` after ``distantPast``.
  @inlinable
  public init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

  /// The clock's first instant.
  @inlinable public static var distantPast: Instant { Instant(nanoseconds: 0) }
  /// The clock's last instant, which never comes.
  @inlinable public static var distantFuture: Instant { Instant(nanoseconds: .max) }

  /// How long after `earlier` this instant is; zero if it is before `earlier`.
  @inlinable
  public func elapsed(since earlier: Instant) -> Nanoseconds {
    Nanoseconds(nanoseconds) - Nanoseconds(earlier.nanoseconds)
  }

  /// How long before `later` this instant is; zero if it is after `later`, as for a deadline that has passed.
  @inlinable
  public func remaining(until later: Instant) -> Nanoseconds { later.elapsed(since: self) }

  /// The length between two instants.
  ///
  /// - Precondition: the first is not before the second. Use ``elapsed(since:)`` if that is uncertain.
  @inlinable
  public static func - (later: Instant, earlier: Instant) -> Nanoseconds {
    Nanoseconds(later.nanoseconds - earlier.nanoseconds)
  }

  /// The instant a length later, at most ``distantFuture``.
  @inlinable
  public static func + (instant: Instant, length: Nanoseconds) -> Instant {
    Instant(nanoseconds: (Nanoseconds(instant.nanoseconds) + length).nanoseconds)
  }

  /// Moves an instant later by a length, to ``distantFuture`` at most.
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
