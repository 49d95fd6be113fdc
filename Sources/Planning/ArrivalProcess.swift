package import Latency

/// When users come.
package enum ArrivalProcess: Sendable, Equatable {
  /// Independently of one another, at a rate per second above 0.
  case poisson(perSecond: Double)
  /// The same with a rate that depends on the time of day.
  case profile(DailyProfile)
  /// At known instants, equal in all runs.
  case recorded(RecordedArrivals)

  /// The mean number of arrivals a second, over a day or over the recorded time.
  package var meanPerSecond: Double {
    switch self {
    case .poisson(let rate): rate
    case .profile(let profile): profile.meanPerSecond
    case .recorded(let arrivals): arrivals.meanPerSecond
    }
  }

  /// The largest rate of a time of day; of recorded arrivals the mean.
  package var highestPerSecond: Double {
    if case .profile(let profile) = self { profile.steps.map(\.perSecond).max() ?? 0 } else { meanPerSecond }
  }
}

/// A rate for each time of day, which repeats daily.
package struct DailyProfile: Sendable, Equatable {
  package struct Step: Sendable, Equatable {
    /// The time of day at which this rate begins, below 24 h.
    package var start: Nanoseconds
    /// 0 or more.
    package var perSecond: Double

    package init(start: Nanoseconds, perSecond: Double) {
      self.start = start
      self.perSecond = perSecond
    }
  }

  package static let day: Nanoseconds = .seconds(24 * 3600)

  /// In growing order; the first begins at 0 h.
  package let steps: [Step]

  /// Nil unless the steps begin at 0 h, each starts after the one before it and within the day, and one has a rate above 0.
  package init?(_ steps: [Step]) {
    guard steps.first?.start == .zero, steps.contains(where: { $0.perSecond > 0 }) else { return nil }
    guard steps.allSatisfy({ $0.start < Self.day && $0.perSecond >= 0 && $0.perSecond.isFinite }) else { return nil }
    guard zip(steps, steps.dropFirst()).allSatisfy({ $0.start < $1.start }) else { return nil }
    self.steps = steps
  }

  /// The end of a step's time, in ns of the day.
  func end(of step: Int) -> UInt64 {
    step + 1 < steps.count ? steps[step + 1].start.nanoseconds : Self.day.nanoseconds
  }

  var meanPerSecond: Double {
    steps.indices.reduce(0) { sum, step in
      sum + steps[step].perSecond * Double(end(of: step) - steps[step].start.nanoseconds)
    } / Double(Self.day.nanoseconds)
  }
}

/// Arrivals of a file.
package struct RecordedArrivals: Sendable, Equatable {
  /// In growing order, counted from the first, which is 0.
  package let instants: [Nanoseconds]

  /// Nil without an instant. They may be in any order.
  package init?(_ instants: [Nanoseconds]) {
    let sorted = instants.sorted()
    guard let first = sorted.first else { return nil }
    self.instants = sorted.map { $0 - first }
  }

  /// From the first to the last one.
  package var length: Nanoseconds { instants[instants.count - 1] }

  /// The most arrivals within a time of this length.
  package func most(within length: Nanoseconds) -> Int {
    var (most, first) = (0, 0)
    for place in instants.indices {
      while instants[place] - instants[first] > length { first += 1 }
      most = max(most, place - first + 1)
    }
    return most
  }

  var meanPerSecond: Double { length > .zero ? Double(instants.count - 1) / length.seconds : 0 }
}

/// The arrivals of one run, in order.
struct ArrivalStream {
  private let process: ArrivalProcess
  private var stream: RandomStream
  private var now: UInt64 = 0
  /// The step of the profile at `now`, and the instant at which it ends.
  private var step = 0
  private var stepEnd: UInt64 = 0
  private var index = 0
  /// When the measured time begins: 0 h of a profile, and the first of recorded arrivals.
  private let origin: UInt64

  init(_ process: ArrivalProcess, origin: UInt64, stream: RandomStream) {
    self.process = process
    self.stream = stream
    self.origin = origin
    guard case .profile(let profile) = process else { return }
    let day = DailyProfile.day.nanoseconds
    let timeOfDay = (day - origin % day) % day
    step = profile.steps.lastIndex { $0.start.nanoseconds <= timeOfDay } ?? 0
    stepEnd = profile.end(of: step) - timeOfDay
  }

  /// The next arrival, in ns since the run began; nil after the last one.
  mutating func next() -> UInt64? {
    switch process {
    case .poisson(let rate):
      now += UInt64(min(stream.exponential() / rate * 1e9, LengthDistribution.longest))
      return now
    case .profile(let profile): return next(of: profile)
    case .recorded(let arrivals):
      guard index < arrivals.instants.count else { return nil }
      defer { index += 1 }
      return origin + arrivals.instants[index].nanoseconds
    }
  }

  /// In the time in which one arrival is expected, the next one comes after an exponential length. So this length is laid
  /// out over the steps, each at its own rate (Çinlar: Introduction to Stochastic Processes, 1975, ch. 4.7).
  private mutating func next(of profile: DailyProfile) -> UInt64 {
    var expected = stream.exponential()
    while true {
      let rate = profile.steps[step].perSecond / 1e9
      let room = rate * Double(stepEnd - now)
      if expected < room {
        now = min(stepEnd, now + UInt64(expected / rate))
        return now
      }
      expected -= room
      now = stepEnd
      step = (step + 1) % profile.steps.count
      stepEnd = now + profile.end(of: step) - profile.steps[step].start.nanoseconds
    }
  }
}
