import FoundationEssentials
import Gateway

/// What a gateway can be asked for, by a profile's keys.
package enum GatewayRole: String, Sendable {
  case status, acquire, release, agents, session

  /// Whether `profile` has it.
  func isThere(in profile: GatewayProfile) -> Bool {
    switch self {
    case .status: profile.status != nil
    case .acquire: profile.acquire != nil
    case .release: profile.release != nil
    case .agents: profile.agents != nil
    case .session: profile.session != nil
    }
  }
}

extension OptionReader {
  /// The profile that is named: one of the suite's own, or a file's. Nil without a name, or where something is wrong with it.
  mutating func gatewayProfile(_ written: String?) -> GatewayProfile? {
    guard let written else { return nil }
    if let profile = BuiltInProfiles.profile(written) { return profile }
    let option = "--gateway-profile"
    if let reason = PathText.likeAnOption(written) {
      problems.add(option, reason)
      return nil
    }
    guard let bytes = try? Data(contentsOf: URL(filePath: written)) else {
      let names = OptionReader.list(BuiltInProfiles.names)
      problems.add(
        option,
        "'\(written.prefix(80))' is no profile and no file that can be read: write \(names), or a file's path")
      return nil
    }
    guard bytes.count <= ProfileFile.largest else {
      problems.add(option, "'\(written.prefix(80))' is too large for a profile")
      return nil
    }
    do throws(ProfileFile.Failure) {
      return try ProfileFile.read([UInt8](bytes))
    } catch {
      for sentence in error.sentences.prefix(20) { problems.add(option, in: "'\(written.prefix(80))'", sentence) }
      return nil
    }
  }
}
