package import LoadEngine

/// `--stages`: linear ramps of the rate, or of the number of users.
package enum LoadStages: Sendable, Equatable {
  /// Open loop.
  case rates([RateStage])
  /// Closed loop.
  case users([UserStage])

  /// What a text must look like.
  static let rule =
    "write stages of rates, such as 30s:10/s,2m:50/s, or of users, such as 30s:10,2m:0; none longer than 24h in all"
  private static let longest: UInt64 = 24 * 3_600_000_000_000
  private static let mostStages = 1000
  private static let mostUsers = 20_000

  /// Parses `<duration>:<rate or users>` separated by commas; nil when it is anything else, of no length, or zero throughout.
  init?(_ text: String) {
    let parts = text.split(separator: ",", omittingEmptySubsequences: false)
    guard parts.count <= Self.mostStages else { return nil }
    var rates: [RateStage] = []
    var users: [UserStage] = []
    var length: UInt64 = 0
    for part in parts {
      let sides = part.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
      guard sides.count == 2, let duration = DurationText.parse(sides[0]), duration <= Self.longest else { return nil }
      length += duration
      if let number = OptionReader.parseInteger(sides[1]), number <= Self.mostUsers {
        users.append(UserStage(duration: duration, target: number))
      } else if let rate = RateText.parse(sides[1]) {
        rates.append(RateStage(duration: duration, target: rate))
      } else {
        return nil
      }
    }
    guard length > 0, length <= Self.longest else { return nil }
    if users.isEmpty, rates.contains(where: { $0.target.starts > 0 }) {
      self = .rates(rates)
    } else if rates.isEmpty, users.contains(where: { $0.target > 0 }) {
      self = .users(users)
    } else {
      return nil
    }
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
