package import LoadEngine

/// Why a text holds no stages: which part is wrong, and what to write instead.
package struct LoadStagesError: Error, Sendable, Equatable {
  package var message: String
}

/// `--stages`: linear ramps of the rate, or of the number of users.
package enum LoadStages: Sendable, Equatable {
  /// Open loop.
  case rates([RateStage])
  /// Closed loop.
  case users([UserStage])

  private static let longest: UInt64 = 24 * 3_600_000_000_000
  private static let mostStages = 1000
  private static let mostUsers = 20_000

  /// Parses `<duration>:<rate or users>` separated by commas; throws when it is anything else, of no length, or zero throughout.
  package init(_ text: String) throws(LoadStagesError) {
    let parts = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    guard parts.count <= Self.mostStages else {
      throw LoadStagesError(message: "these are \(parts.count) stages: write at most \(Self.mostStages)")
    }
    var rates: [RateStage] = []
    var users: [UserStage] = []
    for part in parts {
      let (duration, target) = try Self.stage(part)
      switch target {
      case .rate(let rate): rates.append(RateStage(duration: duration, target: rate))
      case .users(let number): users.append(UserStage(duration: duration, target: number))
      }
      guard users.isEmpty || rates.isEmpty else {
        throw LoadStagesError(
          message: "'\(part.prefix(40))' is a stage of \(target.kind), those before it are not: "
            + "write rates throughout, such as 30s:10/s, or users, such as 30s:10")
      }
    }
    try Self.checkLength(rates.map(\.duration) + users.map(\.duration))
    guard users.contains(where: { $0.target > 0 }) || rates.contains(where: { $0.target.starts > 0 }) else {
      throw LoadStagesError(message: "all stages end at 0, where nothing starts: write more in one of them")
    }
    self = users.isEmpty ? .rates(rates) : .users(users)
  }

  private enum Target {
    case rate(ArrivalRate)
    case users(Int)

    var kind: String {
      switch self {
      case .rate: "rates"
      case .users: "users"
      }
    }
  }

  private static func stage(_ text: String) throws(LoadStagesError) -> (UInt64, Target) {
    let shown = text.prefix(40)
    let sides = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    guard sides.count == 2 else {
      throw LoadStagesError(
        message: "'\(shown)' is no stage: write a duration, a colon, and a rate or a number of users, such as 30s:10/s "
          + "or 30s:10")
    }
    guard let duration = DurationText.parse(sides[0]) else {
      throw LoadStagesError(
        message: "'\(shown)': '\(sides[0].prefix(40))' is no duration: \(DurationText.rule)")
    }
    return (duration, try target(sides[1], of: shown))
  }

  private static func target(_ text: String, of stage: Substring) throws(LoadStagesError) -> Target {
    if text.contains("/") {
      if let rate = RateText.parse(text) { return .rate(rate) }
      throw LoadStagesError(message: "'\(stage)': '\(text.prefix(40))' is no rate: \(RateText.form)")
    }
    if let number = OptionReader.parseInteger(text), number <= mostUsers { return .users(number) }
    throw LoadStagesError(
      message: "'\(stage)': '\(text.prefix(40))' is no number of users: write a whole number of at most \(mostUsers), "
        + "or a rate, such as 10/s")
  }

  private static func checkLength(_ durations: [UInt64]) throws(LoadStagesError) {
    // A stage is a year at most, and there are not many: no overflow.
    let length = durations.reduce(0, +)
    if length == 0 { throw LoadStagesError(message: "all stages are of no length: give one of them a duration") }
    if length > longest { throw LoadStagesError(message: "the stages are longer than 24h in all: write shorter ones") }
  }

  /// As it is written on a command line.
  package var text: String {
    switch self {
    case .rates(let stages):
      stages.map { "\(DurationText.write($0.duration)):\(RateText.write($0.target))" }.joined(separator: ",")
    case .users(let stages):
      stages.map { "\(DurationText.write($0.duration)):\($0.target)" }.joined(separator: ",")
    }
  }
}
