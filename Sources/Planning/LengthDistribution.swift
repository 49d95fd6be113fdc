import Glibc
package import Latency
import Statistics

/// How long something takes that differs from time to time: a task's start, a session.
package enum LengthDistribution: Sendable, Equatable {
  /// Always the same.
  case constant(Nanoseconds)
  /// Without memory: what remains of it does not depend on what has passed.
  case exponential(mean: Nanoseconds)
  /// Its logarithm is normally distributed.
  case logNormal(LogNormal)
  /// As often as it was measured, or recorded in a file.
  case measured(MeasuredLengths)
  /// Parts one after another, each independent of the others.
  case sum([LengthDistribution])

  /// The longest length, a year: sums of lengths stay far from overflow.
  static let longest: Double = 366 * 24 * 3600 * 1e9

  /// The mean, in seconds.
  package var mean: Double {
    switch self {
    case .constant(let length), .exponential(let length): length.seconds
    case .logNormal(let shape): shape.mean
    case .measured(let lengths): lengths.mean
    case .sum(let parts): parts.reduce(0) { $0 + $1.mean }
    }
  }

  /// In s².
  var variance: Double {
    switch self {
    case .constant: 0
    case .exponential(let mean): mean.seconds * mean.seconds
    case .logNormal(let shape): shape.variance
    case .measured(let lengths): lengths.variance
    case .sum(let parts): parts.reduce(0) { $0 + $1.variance }
    }
  }

  /// How long a number of such lengths under way depends on what it was, in units of the mean: (1 + cv²)/2, with cv the
  /// coefficient of variation. 1 for exponential lengths, and taken as 1 for those that vary less.
  ///
  /// The number forgets what it was after the rest of a length, whose mean is E[L²]/(2·E[L]). In an M/G/∞ system the
  /// covariance over a time t is a times the probability of a longer rest (Eick, Massey, Whitt: The physics of the Mt/G/∞
  /// queue, Operations Research 41 (1993)), so a time average's variance grows by that.
  var memory: Double {
    let mean = mean
    return mean > 0 ? max(1, (1 + variance / (mean * mean)) / 2) : 1
  }

  /// The time in seconds after which it hardly shows in the number of such lengths under way that there was none at
  /// first: ten times the mean of the rest of a length. Of exponential lengths a share of 0.00005 is missing then, and of
  /// log-normal ones at most 0.016, with σ² = 3.2 (by the distribution of the rest, P(R > t) = E[(L − t)⁺]/E[L]).
  var settling: Double { 10 * mean * memory }

  /// Whether what remains of it never depends on what has passed.
  package var isExponential: Bool {
    if case .exponential = self { true } else { false }
  }

  /// A length, in ns. Each part uses one random number.
  func sample(_ stream: inout RandomStream) -> UInt64 {
    switch self {
    case .constant(let length): length.nanoseconds
    case .exponential(let mean): Self.bounded(stream.exponential() * Double(mean.nanoseconds))
    case .logNormal(let shape): Self.bounded(shape.sample(stream.unit()))
    case .measured(let lengths): lengths.sample(&stream)
    case .sum(let parts):
      parts.reduce(0) { sum, part in sum + part.sample(&stream) }
    }
  }

  private static func bounded(_ nanoseconds: Double) -> UInt64 { UInt64(min(nanoseconds, longest).rounded()) }
}

/// A log-normal distribution by two of its percentiles.
package struct LogNormal: Sendable, Equatable {
  package let p50: Nanoseconds
  package let p99: Nanoseconds
  /// The standard deviation of the logarithm.
  private let sigma: Double
  private let location: Double

  /// Nil unless 0 < `p50` ≤ `p99`.
  package init?(p50: Nanoseconds, p99: Nanoseconds) {
    guard p50 > .zero, p50 <= p99 else { return nil }
    self.p50 = p50
    self.p99 = p99
    location = log(Double(p50.nanoseconds))
    sigma = (log(Double(p99.nanoseconds)) - location) / NormalDistribution.quantile(0.99)
  }

  /// The mean in seconds: exp(µ + σ²/2).
  var mean: Double { exp(location + sigma * sigma / 2) / 1e9 }

  /// In s²: (exp(σ²) − 1) times the mean's square.
  var variance: Double { expm1(sigma * sigma) * mean * mean }

  /// The length in ns that a share `u` of the lengths does not exceed.
  func sample(_ u: Double) -> Double { exp(location + sigma * NormalDistribution.quantile(u)) }
}

/// Lengths as often as they occurred.
package struct MeasuredLengths: Sendable, Equatable {
  /// In ns, in growing order.
  private let values: [UInt64]
  /// The number of lengths up to and with each of `values`.
  private let cumulative: [UInt64]
  /// In seconds.
  package let mean: Double
  /// In s².
  let variance: Double
  /// How many lengths there are.
  package var count: UInt64 { cumulative.last ?? 0 }

  /// The lengths of a histogram, each as the middle of its bucket; nil where it is empty.
  package init?(_ histogram: LatencyHistogram) {
    self.init(histogram.recordedBuckets().map { ($0.lower + ($0.upper - $0.lower) / 2, $0.count) })
  }

  /// Single lengths in any order; nil without one.
  package init?(_ lengths: [Nanoseconds]) {
    self.init(lengths.map(\.nanoseconds).sorted().map { ($0, 1) })
  }

  private init?(_ counted: [(value: UInt64, count: UInt64)]) {
    guard !counted.isEmpty else { return nil }
    values = counted.map(\.value)
    var sum: UInt64 = 0
    cumulative = counted.map { entry in
      sum += entry.count
      return sum
    }
    let total = Double(sum)
    let mean = counted.reduce(0) { $0 + Double($1.value) / 1e9 * (Double($1.count) / total) }
    self.mean = mean
    variance = counted.reduce(0) { sum, entry in
      let deviation = Double(entry.value) / 1e9 - mean
      return sum + deviation * deviation * (Double(entry.count) / total)
    }
  }

  func sample(_ stream: inout RandomStream) -> UInt64 {
    let rank = stream.below(count)
    var (low, high) = (0, values.count - 1)
    while low < high {
      let middle = (low + high) / 2
      if cumulative[middle] > rank { high = middle } else { low = middle + 1 }
    }
    return values[low]
  }
}
