import FoundationEssentials
package import Gateway
import Latency
import Transport
import TextFormatting

/// Finds out how a gateway is spoken to where the user has not said it. Looking makes no session and takes no task.
enum ProfileFinder {
  /// Of each look.
  private static let bound: Nanoseconds = .seconds(5)

  /// Not a valid user id, and not `.` or `..`, which proxies take for a way through the path.
  static let probeID = ".infrabench-probe"

  /// The profile that the user has named; else, by what an upgrade of a user id that cannot be is answered with, the suite's
  /// own or the one without a user's side. Where neither its user's side nor its status is known, a note asks for the name.
  static func find(_ session: GatewaySession) async -> GatewayProfile {
    if let given = session.givenProfile { return given }
    if session.embeddedECS != nil { return BuiltInProfiles.embedded }
    let client = session.client(on: session.loops.executor(forUser: 0), timeout: min(session.timeout, bound))
    defer { client.close() }
    var answer = await client.probeSession(userID: probeID)
    // Some proxies, haproxy among them, answer an upgrade without a key themselves.
    if case .success(let response) = answer, response.status == 400, response.isMarkup {
      answer = await client.probeSession(userID: probeID, hasKey: true)
    }
    let mayHaveSide = hasSessionSide(answer.map(\.status))
    let isProxys = if case .success(let response) = answer { isOfProxy(response) } else { false }
    if mayHaveSide, !isProxys { return BuiltInProfiles.embedded }
    let status = await client.status()
    // A proxy's page, or its way to say that what is behind it closed the connection: only a gateway whose status can be
    // had tells that it is there, so that it is the user's side that is missing.
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

  /// What the answer to an upgrade that no WebSocket can come of tells. A gateway that has `/session/` misses the key,
  /// refuses the id or the caller, or cannot serve anybody just now. One that hasn't knows no such path, sends its own page
  /// or the way to one (200, 302), or closes the connection without a word.
  static func hasSessionSide(_ answer: Result<Int, GatewayError>) -> Bool {
    switch answer {
    case .success(let status):
      [101, 400, 401, 403, 426, 429].contains(status) || (500...599).contains(status) && status != 501
    case .failure(let error) where [.transport(.closed), .transport(.reset)].contains(error.kind): false
    // Nothing is known: the iterations will show what is wrong.
    case .failure: true
    }
  }

  /// Whether it is a proxy that says so, and not the gateway behind it.
  static func isOfProxy(_ response: HTTPResponse) -> Bool {
    [502, 504].contains(response.status) || response.isMarkup
  }
}

/// The profiles that the suite has of its own. They are files like any other's, and in the programs.
package enum BuiltInProfiles {
  /// The text of each, by name, in the order of messages.
  private static let files: [(name: String, bytes: [UInt8])] = [
    ("embedded", PackageResources.embedded_json), ("lab", PackageResources.lab_json),
    ("product", PackageResources.product_json),
  ]

  /// Their names.
  package static let names = files.map(\.name)

  /// The text of the one called `name`; nil where there is none.
  package static func text(of name: String) -> String? {
    files.first { $0.name == name }.map { String(decoding: $0.bytes, as: UTF8.self) }
  }

  /// The one called `name`; nil where there is none.
  package static func profile(_ name: String) -> GatewayProfile? { profiles[name] }

  /// The suite's own gateway's; what is spoken where nothing else is found.
  package static var embedded: GatewayProfile { profiles["embedded"] ?? GatewayProfile(name: "embedded") }

  /// That of a gateway which has the same calls, and no user's side.
  package static var withoutUsersSide: GatewayProfile {
    var profile = embedded
    profile.session = nil
    return profiles.values.first { other in
      profile.name = other.name
      return other == profile
    } ?? profile
  }

  // Each is read once; a test reads them all and fails on any mistake in them.
  private static let profiles = Dictionary(
    uniqueKeysWithValues: files.compactMap { name, bytes in (try? ProfileFile.read(bytes)).map { (name, $0) } })
}

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
