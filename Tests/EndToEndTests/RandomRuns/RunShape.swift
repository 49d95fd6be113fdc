import TestSupport

/// How the load of a random run comes: what the tool is told, and how many starts are then due.
enum RunShape: Sendable {
  case closed(users: Int, count: Int?, milliseconds: Int?, thinkTime: Int?)
  /// Users come and go.
  case users(from: Int, to: Int, milliseconds: Int)
  case open(rate: Int, inFlight: Int, count: Int?, milliseconds: Int?, isPoisson: Bool, drops: Bool)
  /// Ramps of the rate.
  case ramp(from: Int, to: Int, milliseconds: Int, inFlight: Int)
  case bursts(users: Int, beyond: Int, number: Int)

  /// `hasBursts` says whether the tool knows them. At most some 300 starts, and with a count no more than four a user,
  /// so that a mute server holds a run up for four time-outs.
  static func draw(_ random: inout SeededRandom, hasBursts: Bool) -> RunShape {
    let length = Int.random(in: 5...20, using: &random) * 100
    let rate = Int.random(in: 10...150, using: &random)
    let inFlight = [1, 5, 20, 100].randomElement(using: &random) ?? 20
    switch Int.random(in: 0..<(hasBursts ? 10 : 8), using: &random) {
    case 0...2:
      let users = Int.random(in: 1...12, using: &random)
      let count: Int? = Bool.random(using: &random) ? users * Int.random(in: 1...4, using: &random) : nil
      let isBounded = count == nil || Bool.random(using: &random)
      let thinkTime = Bool.random(using: &random) ? Int.random(in: 1...30, using: &random) : nil
      return .closed(users: users, count: count, milliseconds: isBounded ? length : nil, thinkTime: thinkTime)
    case 3:
      return .users(
        from: Int.random(in: 0...3, using: &random), to: Int.random(in: 1...10, using: &random), milliseconds: length)
    case 4...6:
      let count: Int? = Bool.random(using: &random) ? Int.random(in: 5...min(60, 2 * rate), using: &random) : nil
      let isBounded = count == nil || Bool.random(using: &random)
      return .open(
        rate: rate, inFlight: inFlight, count: count, milliseconds: isBounded ? length : nil,
        isPoisson: Bool.random(using: &random), drops: Int.random(in: 0..<3, using: &random) == 0)
    case 7:
      return .ramp(
        from: Int.random(in: 1...rate, using: &random), to: rate, milliseconds: length, inFlight: inFlight)
    default:
      return .bursts(
        users: Int.random(in: 1...20, using: &random), beyond: Int.random(in: 0...5, using: &random),
        number: Int.random(in: 1...3, using: &random))
    }
  }

  var arguments: [String] {
    func optional(_ name: String, _ value: Int?, _ unit: String = "") -> [String] {
      value.map { [name, "\($0)\(unit)"] } ?? []
    }
    switch self {
    case .closed(let users, let count, let milliseconds, let thinkTime):
      return ["--concurrency", "\(users)"] + optional("--count", count)
        + optional("--duration", milliseconds, "ms") + optional("--think-time", thinkTime, "ms")
    case .users(let from, let to, let milliseconds):
      return (from > 0 ? ["--concurrency", "\(from)"] : []) + ["--stages", "\(milliseconds)ms:\(to)"]
    case .open(let rate, let inFlight, let count, let milliseconds, let isPoisson, let drops):
      return ["--rate", "\(rate)/s", "--max-in-flight", "\(inFlight)"] + optional("--count", count)
        + optional("--duration", milliseconds, "ms") + (isPoisson ? ["--arrival", "poisson"] : [])
        + (drops ? ["--drop-when-busy"] : [])
    case .ramp(let from, let to, let milliseconds, let inFlight):
      return ["--rate", "\(from)/s", "--stages", "\(milliseconds)ms:\(to)/s", "--max-in-flight", "\(inFlight)"]
    case .bursts(let users, let beyond, let number):
      return ["--concurrency", "\(users)", "--beyond", "\(beyond)", "--bursts", "\(number)"]
    }
  }

  var isBurst: Bool { if case .bursts = self { true } else { false } }
  var isOpenLoop: Bool {
    switch self {
    case .open, .ramp: true
    case .closed, .users, .bursts: false
    }
  }
  /// Stages and bursts have no warm-up.
  var canWarmUp: Bool {
    switch self {
    case .open, .closed: true
    case .users, .ramp, .bursts: false
    }
  }

  /// Users that are set up before the first start, and each of whom has an outcome; nil where users come when they are
  /// needed.
  var usersFromTheBeginning: Int? { if case .closed(let users, _, _, _) = self { users } else { nil } }

  /// When no start is made any more, in ms, if that is by time alone.
  var length: Int? {
    switch self {
    case .closed(_, let count, let milliseconds, _), .open(_, _, let count, let milliseconds, _, _):
      count == nil ? milliseconds : nil
    case .users(_, _, let milliseconds), .ramp(_, _, let milliseconds, _): milliseconds
    case .bursts: nil
    }
  }

  /// How many starts are due: iterations, censored and dropped ones.
  var due: ClosedRange<Int> {
    switch self {
    case .closed(let users, let count?, let milliseconds, _):
      // A user whose set-up fails when the count is used up is one more.
      return (milliseconds == nil ? count : 0)...(count + users)
    case .closed, .users: return 0...Int.max
    case .open(let rate, _, let count, let milliseconds, let isPoisson, _):
      guard let milliseconds else { return (count ?? 0)...(count ?? 0) }
      let expected = (rate * milliseconds + 999) / 1000
      let spread = isPoisson ? 6 * Int(Double(expected).squareRoot()) + 3 : 1
      let byTime = max(0, expected - spread)...(expected + spread)
      guard let count else { return byTime }
      return min(count, byTime.lowerBound)...min(count, byTime.upperBound)
    case .ramp(let from, let to, let milliseconds, _):
      let expected = (from + to) * milliseconds / 2000
      return max(0, expected - 2)...(expected + 2)
    case .bursts(let users, let beyond, let number): return (users + beyond) * number...(users + beyond) * number
    }
  }
}
