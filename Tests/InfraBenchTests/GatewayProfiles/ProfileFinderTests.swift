import Gateway
import Latency
import TestSupport
import Testing
import Transport

@testable import InfraBench
@testable import Results

/// What a gateway is found out to be, and what looking sends.
@Suite(.timeLimit(.minutes(1))) struct ProfileFinderTests {
  private static let warm = ScriptedServer.answer(#"{"warmCount": 1, "assignedCount": 0}"#)

  private static func page(_ status: Int) -> ScriptedServer.Action {
    let body = "<html><title>\(status)</title></html>"
    return .send(
      "HTTP/1.1 \(status) No\r\nContent-Type: text/html\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
  }

  /// What is found where the upgrade and the status are answered so, and the lines of what was sent.
  private func find(
    upgrade: [ScriptedServer.Action], status: [ScriptedServer.Action], given: GatewayProfile? = nil
  ) async throws -> (name: String, sent: [String], notes: [String]) {
    let server = try await ScriptedServer { $0.line.hasSuffix("/api/status") ? status : upgrade }
    var target = TargetSettings(
      gateway: .remote(Endpoint(host: "127.0.0.1", port: server.port)), headers: [], tls: nil, isInsecure: false,
      agents: 0,
      allowsAgentsBesideReal: false)
    target.profile = given
    let bench = RunContext(console: Console(print: .json, isQuiet: true))
    let name = try await GatewaySession.with(target, timeout: .seconds(20), bench: bench) { session in
      await ProfileFinder.find(session).name
    }
    let sent = server.requests.map(\.line)
    await server.stop()
    return (name, sent, bench.notes.all)
  }

  private static let probe = "GET /session/\(ProfileFinder.probeID)"

  /// A proxy before a gateway without a user's side tells what the gateway did: it closed the connection.
  @Test(arguments: [502, 503, 504]) func aProxysPageSaysThatThereIsNoUsersSideWhereTheStatusCanBeHad(_ status: Int)
    async throws
  {
    let found = try await find(upgrade: [Self.page(status)], status: [Self.warm])
    #expect(found.name == "lab" && found.sent == [Self.probe, "GET /api/status"])
  }

  @Test(arguments: [502, 503, 504]) func aProxysPageSaysNothingWhereTheStatusCannotBeHadEither(_ status: Int)
    async throws
  {
    let found = try await find(upgrade: [Self.page(status)], status: [Self.page(status)])
    #expect(found.name == "embedded" && found.sent == [Self.probe, "GET /api/status"])
  }

  /// A gateway that has no room for sessions just now answers for itself.
  @Test func a503OfTheGatewaysOwnIsAUsersSide() async throws {
    let busy = ScriptedServer.answer(#"{"error": "busy"}"#, status: 503)
    let found = try await find(upgrade: [busy], status: [Self.warm])
    #expect(found.name == "embedded" && found.sent == [Self.probe])
  }

  @Test(arguments: [502, 504]) func otherStatusesOfProxiesAreTheirsWithoutAPageToo(_ status: Int) async throws {
    let found = try await find(upgrade: [ScriptedServer.answer("", status: status)], status: [Self.warm])
    #expect(found.name == "lab")
  }

  @Test(
    arguments: [[.close], [.reset], [page(404)], [page(200)], [ScriptedServer.answer("", status: 302)]]
      as [[ScriptedServer.Action]])
  func whoKnowsNoSuchPathHasNoUsersSideWhateverItsStatus(_ upgrade: [ScriptedServer.Action]) async throws {
    for (status, name) in [(Self.page(500), "lab"), (Self.page(404), "unknown"), (Self.warm, "lab")] {
      let found = try await find(upgrade: upgrade, status: [status])
      #expect(found.name == name && found.sent == [Self.probe, "GET /api/status"])
    }
  }

  /// A gateway of another kind altogether is asked for by name; one that has the status, or may have it, is not.
  @Test func whoKnowsNeitherIsAskedForByName() async throws {
    let json = ScriptedServer.answer(#"{"error": "no such path"}"#, status: 404)
    for (status, isAsked) in [(json, true), (Self.page(404), true), (Self.warm, false), (Self.page(503), false)] {
      let notes = try await find(upgrade: [Self.page(404)], status: [status]).notes
      #expect(notes.count { $0.contains("--gateway-profile") } == (isAsked ? 1 : 0), "\(notes)")
    }
  }

  @Test func aProfileThatIsNamedIsNotLookedFor() async throws {
    let product = try #require(BuiltInProfiles.profile("product"))
    let found = try await find(upgrade: [.close], status: [Self.warm], given: product)
    #expect(found.name == "product" && found.sent.isEmpty)
  }
}
