public import Latency

/// A closed loop whose number of users follows linear stages: user k, from 1, is active while `users(at:) >= k`.
///
/// The number is the line's value rounded to the nearest, so that the time of all users together is the area under the
/// line.
public struct UserRamp: Sendable, Equatable {
  private struct Line: Sendable, Equatable {
    var begin: Nanoseconds
    var duration: Nanoseconds
    var from: Int
    var to: Int

    var end: Nanoseconds { begin + duration }

    /// floor(from + (to − from) · t / duration + 1/2), without rounding on the way.
    func users(at offset: Nanoseconds) -> Int {
      let (length, time) = (Int128(duration.nanoseconds), Int128((offset - begin).nanoseconds))
      return Int((2 * (Int128(from) * length + Int128(to - from) * time) + length) / (2 * length))
    }

    /// The first instant of a rising line at which there are `users`, more than at its begin.
    func rises(to users: Int) -> Nanoseconds? {
      guard to >= users, users > from else { return nil }
      let rise = 2 * Int128(to - from)
      let time = ((2 * Int128(users - from) - 1) * Int128(duration.nanoseconds) + rise - 1) / rise
      return time < Int128(duration.nanoseconds) ? begin + .nanoseconds(time) : nil
    }
  }

  private let lines: [Line]
  /// The length of the ramp: no user is active from then on.
  public let length: Nanoseconds
  /// The most users that are active at one time.
  public let maximum: Int

  /// More users than any machine can run, and far from overflow.
  private static let mostUsers = 1 << 31

  /// Makes a ramp that begins with `from` users. Negative numbers count as 0, and those beyond 2³¹ as 2³¹.
  public init(stages: [UserStage], from: Int) {
    var lines: [Line] = []
    var (users, begin) = (Self.bounded(from), Nanoseconds.zero)
    for stage in stages {
      let line = Line(begin: begin, duration: stage.duration, from: users, to: Self.bounded(stage.target))
      // A stage without duration, or beyond the longest time, is a jump.
      if line.end > begin { lines.append(line) }
      (users, begin) = (line.to, line.end)
    }
    self.lines = lines
    length = begin
    maximum = lines.map { max($0.users(at: $0.begin), $0.users(at: $0.end - 1)) }.max() ?? 0
  }

  private static func bounded(_ users: Int) -> Int { min(max(0, users), mostUsers) }

  /// How many users are active at `offset` from the begin.
  public func users(at offset: Nanoseconds) -> Int {
    lines.last { $0.begin <= offset }.map { offset < $0.end ? $0.users(at: offset) : 0 } ?? 0
  }

  /// The first offset, from `offset` on, at which the user is active; nil if it never is again.
  public func nextActive(user: Int, from offset: Nanoseconds) -> Nanoseconds? {
    for line in lines where line.end > offset {
      let first = max(offset, line.begin)
      if line.users(at: first) >= user { return first }
      if let instant = line.rises(to: user) { return instant }
    }
    return nil
  }
}

/// A stage of a closed loop: the number of users goes linearly from its present value to `target`.
public struct UserStage: Sendable, Equatable {
  /// The length of the stage; with zero the number jumps.
  public var duration: Nanoseconds
  /// Users at the stage's end.
  public var target: Int

  /// Makes a stage.
  public init(duration: Nanoseconds, target: Int) {
    self.duration = duration
    self.target = target
  }
}
