/// A length of time in whole nanoseconds, from 0 to 584 years.
///
/// ```swift
/// let timeout: Nanoseconds = .seconds(30)
/// let begin = MonotonicClock.now()
/// let deadline = begin + timeout
/// try await Task.sleep(for: timeout / 100)
/// let elapsed = MonotonicClock.now().elapsed(since: begin)
/// print("\(elapsed) of \(timeout), which is \(elapsed.seconds / timeout.seconds)")  // 300ms of 30.0s, which is 0.01
/// print("\(timeout / .milliseconds(1)) ms")  // 30000 ms
/// ```
///
/// A result out of range becomes the nearest end of the range: a sum or a product is at most ``max``, and a difference
/// is at least ``zero``. So ``max`` can mean "without a bound", and adding to it changes nothing. Only a division by
/// zero and a `Double` that is NaN trap.
@frozen
public struct Nanoseconds: Sendable, Hashable, Comparable {
  /// The number of nanoseconds.
  public let nanoseconds: UInt64

  /// Makes a length of `nanoseconds` nanoseconds.
  @inlinable
  public init(_ nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

  /// No time at all.
  @inlinable public static var zero: Nanoseconds { Nanoseconds(0) }
  /// The longest length, which means "without a bound".
  @inlinable public static var max: Nanoseconds { Nanoseconds(.max) }

  /// Whether both are equally long.
  @inlinable
  public static func == (one: Nanoseconds, other: Nanoseconds) -> Bool { one.nanoseconds == other.nanoseconds }

  /// Whether the first is shorter.
  @inlinable
  public static func < (one: Nanoseconds, other: Nanoseconds) -> Bool { one.nanoseconds < other.nanoseconds }

  /// Feeds the number to the hasher.
  @inlinable
  public func hash(into hasher: inout Hasher) { hasher.combine(nanoseconds) }
}

extension Nanoseconds: ExpressibleByIntegerLiteral {
  /// Makes a length of `nanoseconds` nanoseconds.
  @inlinable
  public init(integerLiteral nanoseconds: UInt64) { self.init(nanoseconds) }
}

// MARK: Units

extension Nanoseconds {
  /// A length of `number` nanoseconds; a negative number counts as 0.
  @inlinable
  public static func nanoseconds(_ number: some BinaryInteger) -> Nanoseconds { Nanoseconds(UInt64(clamping: number)) }

  /// A length of `number` microseconds; a negative number counts as 0.
  @inlinable
  public static func microseconds(_ number: some BinaryInteger) -> Nanoseconds { nanoseconds(number) * 1_000 }

  /// A length of `number` milliseconds; a negative number counts as 0.
  @inlinable
  public static func milliseconds(_ number: some BinaryInteger) -> Nanoseconds { nanoseconds(number) * 1_000_000 }

  /// A length of `number` seconds; a negative number counts as 0.
  @inlinable
  public static func seconds(_ number: some BinaryInteger) -> Nanoseconds { nanoseconds(number) * 1_000_000_000 }

  /// A length of `number` nanoseconds, to the nearest one; a negative number counts as 0.
  ///
  /// - Precondition: `number` is not NaN.
  @inlinable
  public static func nanoseconds(_ number: Double) -> Nanoseconds {
    precondition(!number.isNaN, "a length of time that is no number")
    let whole = number.rounded()
    guard whole > 0 else { return .zero }
    return whole < 0x1p64 ? Nanoseconds(UInt64(whole)) : .max
  }

  /// A length of `number` microseconds, to the nearest nanosecond; a negative number counts as 0.
  ///
  /// - Precondition: `number` is not NaN.
  @inlinable
  public static func microseconds(_ number: Double) -> Nanoseconds { nanoseconds(number * 1e3) }

  /// A length of `number` milliseconds, to the nearest nanosecond; a negative number counts as 0.
  ///
  /// - Precondition: `number` is not NaN.
  @inlinable
  public static func milliseconds(_ number: Double) -> Nanoseconds { nanoseconds(number * 1e6) }

  /// A length of `number` seconds, to the nearest nanosecond; a negative number counts as 0.
  ///
  /// - Precondition: `number` is not NaN.
  @inlinable
  public static func seconds(_ number: Double) -> Nanoseconds { nanoseconds(number * 1e9) }

  /// The nearest number of milliseconds.
  @inlinable public var milliseconds: Double { Double(nanoseconds) / 1e6 }

  /// The nearest number of seconds.
  @inlinable public var seconds: Double { Double(nanoseconds) / 1e9 }
}

// MARK: Arithmetic

extension Nanoseconds {
  /// The sum, at most ``max``.
  @inlinable
  public static func + (one: Nanoseconds, other: Nanoseconds) -> Nanoseconds {
    let (sum, overflow) = one.nanoseconds.addingReportingOverflow(other.nanoseconds)
    return overflow ? .max : Nanoseconds(sum)
  }

  /// Adds a length; the sum is at most ``max``.
  @inlinable
  public static func += (sum: inout Nanoseconds, other: Nanoseconds) { sum = sum + other }

  /// The first length without the second; ``zero`` if the second is longer.
  @inlinable
  public static func - (whole: Nanoseconds, part: Nanoseconds) -> Nanoseconds {
    let (rest, overflow) = whole.nanoseconds.subtractingReportingOverflow(part.nanoseconds)
    return overflow ? .zero : Nanoseconds(rest)
  }

  /// Subtracts a length; the rest is at least ``zero``.
  @inlinable
  public static func -= (rest: inout Nanoseconds, part: Nanoseconds) { rest = rest - part }

  /// The length times `factor`, at most ``max``; a negative factor counts as 0.
  @inlinable
  public static func * (length: Nanoseconds, factor: some BinaryInteger) -> Nanoseconds {
    let (product, overflow) = length.nanoseconds.multipliedReportingOverflow(by: UInt64(clamping: factor))
    return overflow ? .max : Nanoseconds(product)
  }

  /// The length times `factor`, at most ``max``; a negative factor counts as 0.
  @inlinable
  public static func * (factor: some BinaryInteger, length: Nanoseconds) -> Nanoseconds { length * factor }

  /// The length of one of `parts` equal parts, rounded down.
  ///
  /// - Precondition: there is at least one part.
  @inlinable
  public static func / (length: Nanoseconds, parts: some BinaryInteger) -> Nanoseconds {
    Nanoseconds(length.nanoseconds / UInt64(clamping: parts))
  }

  /// The length of one of `parts` equal parts, rounded down. This overload takes integer literals, so that `length / 2`
  /// is half of the length and not the number of times that two nanoseconds fit.
  ///
  /// - Precondition: there is at least one part.
  @inlinable
  public static func / (length: Nanoseconds, parts: Int) -> Nanoseconds {
    Nanoseconds(length.nanoseconds / UInt64(clamping: parts))
  }

  /// How often the second length fits into the first: `timeout / .milliseconds(1)` is whole milliseconds.
  ///
  /// - Precondition: the second length is not ``zero``.
  @inlinable
  public static func / (whole: Nanoseconds, part: Nanoseconds) -> UInt64 { whole.nanoseconds / part.nanoseconds }

  /// The remainder of the first length after the second has been taken away as often as it fits.
  ///
  /// - Precondition: the second length is not ``zero``.
  @inlinable
  public static func % (whole: Nanoseconds, part: Nanoseconds) -> Nanoseconds {
    Nanoseconds(whole.nanoseconds % part.nanoseconds)
  }
}

extension Nanoseconds: CustomStringConvertible {
  /// For people, with three significant figures: `830µs`. See ``LatencyText``.
  public var description: String { LatencyText.format(nanoseconds) }
}

extension Task where Success == Never, Failure == Never {
  /// Suspends the task for a length of time; throws `CancellationError` as soon as the task is cancelled.
  public static func sleep(for length: Nanoseconds) async throws { try await sleep(nanoseconds: length.nanoseconds) }
}
