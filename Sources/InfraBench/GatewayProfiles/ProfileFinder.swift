import FoundationEssentials
package import Gateway
import Latency
import Transport
import TextFormatting

/// Finds out which profile a gateway speaks where the user has not named one. Its requests open no session and take no
/// task.
enum ProfileFinder {
  /// The longest time of each request.
  private static let bound: Nanoseconds = .seconds(5)

  /// An invalid user id, so that no session is opened. Not `.` or `..`, which proxies resolve as parts of the path.
  static let probeID = ".infrabench-probe"

  /// The profile that the user has named. Otherwise it is decided by the answer to an upgrade with an invalid user id:
  /// the suite's own profile, or the one without a user's side. Where neither a user's side nor a status is found, a
  /// note asks the user for the profile.
  static func find(_ session: GatewaySession) async -> GatewayProfile {
    if let given = session.givenProfile { return given }
    if session.embeddedECS != nil { return BuiltInProfiles.embedded }
    let client = session.client(on: session.loops.executor(forUser: 0), timeout: min(session.timeout, bound))
    defer { client.close() }
    var answer = await client.probeSession(userID: probeID)
    // Some proxies, such as haproxy, answer an upgrade without a key themselves, so that it is sent again with one.
    if case .success(let response) = answer, response.status == 400, response.isMarkup {
      answer = await client.probeSession(userID: probeID, hasKey: true)
    }
    let mayHaveSide = hasSessionSide(answer.map(\.status))
    let isProxys = if case .success(let response) = answer { isOfProxy(response) } else { false }
    if mayHaveSide, !isProxys { return BuiltInProfiles.embedded }
    let status = await client.status()
    // Problem: a proxy may answer with its own page, or with 502 or 504 when the gateway has closed the connection. So
    // the user's side counts as missing only where the gateway's status shows that the gateway is there.
    if mayHaveSide, case .failure = status { return BuiltInProfiles.embedded }
    if case .failure(let error) = status, error.kind == .status(404) {
      session.bench.note(
        "the gateway knows neither /session/ nor /api/status: if it is of another kind, name how it is spoken to with "
          + "--gateway-profile")
      var unknown = BuiltInProfiles.withoutUsersSide
      unknown.name = "unknown"
      return unknown
    }
    return BuiltInProfiles.withoutUsersSide
  }

  /// Whether the answer to an upgrade that cannot succeed shows a user's side. A gateway with `/session/` complains
  /// about the missing key, refuses the id or the caller, or is unavailable just now. A gateway without it does not
  /// know the path, sends its own page or a redirect (200, 302), or closes the connection without an answer.
  static func hasSessionSide(_ answer: Result<Int, GatewayError>) -> Bool {
    switch answer {
    case .success(let status):
      [101, 400, 401, 403, 426, 429].contains(status) || (500...599).contains(status) && status != 501
    case .failure(let error) where [.transport(.closed), .transport(.reset)].contains(error.kind): false
    // Nothing is known; the iterations will show the error.
    case .failure: true
    }
  }

  /// Whether the answer comes from a proxy, and not from the gateway behind it.
  static func isOfProxy(_ response: HTTPResponse) -> Bool {
    [502, 504].contains(response.status) || response.isMarkup
  }
}

/// The suite's own profiles. They have the form of users' profile files, and are compiled into the programs.
package enum BuiltInProfiles {
  /// The names and texts, in the order in which messages list them.
  private static let files: [(name: String, bytes: [UInt8])] = [
    ("embedded", PackageResources.embedded_json), ("lab", PackageResources.lab_json),
    ("product", PackageResources.product_json),
  ]

  /// The names of all built-in profiles.
  package static let names = files.map(\.name)

  /// The text of the built-in profile `name`; nil for an unknown name.
  package static func text(of name: String) -> String? {
    files.first { $0.name == name }.map { String(decoding: $0.bytes, as: UTF8.self) }
  }

  /// The built-in profile `name`; nil for an unknown name.
  package static func profile(_ name: String) -> GatewayProfile? { profiles[name] }

  /// The profile of the suite's own gateway; it is spoken where nothing else is found.
  package static var embedded: GatewayProfile { profiles["embedded"] ?? GatewayProfile(name: "embedded") }

  /// The profile of a gateway with the same calls and without a user's side.
  package static var withoutUsersSide: GatewayProfile {
    var profile = embedded
    profile.session = nil
    return profiles.values.first { other in
      profile.name = other.name
      return other == profile
    } ?? profile
  }

  // Each profile is read once. A test reads all, and fails on any mistake in them.
  private static let profiles = Dictionary(
    uniqueKeysWithValues: files.compactMap { name, bytes in (try? ProfileFile.read(bytes)).map { (name, $0) } })
}

/// The roles of a gateway, by a profile's keys.
package enum GatewayRole: String, Sendable {
  case status, acquire, release, agents, session

  /// Whether `profile` has this role.
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
  /// The profile called `written`: a built-in one, or one read from a file. nil without a name, and after a problem was
  /// reported.
  mutating func gatewayProfile(_ written: String?) -> GatewayProfile? {
    guard let written else { return nil }
    if let profile = BuiltInProfiles.profile(written) { return profile }
    let option = "--gateway-profile"
    if let reason = PathText.likeAnOption(written) {
      problems.add(option, reason)
      return nil
    }
    guard let bytes = try? Data(contentsOf: URL(filePath: written)) else {
      let names = PlainText.list(BuiltInProfiles.names)
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
