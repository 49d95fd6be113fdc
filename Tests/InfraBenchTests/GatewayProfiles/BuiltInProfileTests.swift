import FoundationEssentials
import Gateway
import Latency
import Testing

@testable import InfraBench
@testable import Results

/// The suite's own profiles.
@Suite struct BuiltInProfileTests {
  @Test(arguments: BuiltInProfiles.names) func eachIsReadWithoutAMistakeUnderItsName(_ name: String) throws {
    let text = try #require(BuiltInProfiles.text(of: name))
    let profile = try ProfileFile.read(Array(text.utf8))
    #expect(profile.name == name && BuiltInProfiles.profile(name) == profile)
  }

  @Test func thereAreThreeAndNoOther() {
    #expect(BuiltInProfiles.names == ["embedded", "lab", "product"])
    #expect(BuiltInProfiles.profile("other") == nil && BuiltInProfiles.text(of: "Lab") == nil)
    #expect(BuiltInProfiles.embedded.name == "embedded")
  }

  /// What is particular to a gateway is in its profile: no client's code knows one by its name. The planner, which asks
  /// no gateway, has a preset and prices that are called as the laboratory's profile is.
  @Test func noClientNamesAGatewayOutsideTheProfiles() throws {
    var sources = URL(filePath: #filePath)
    for _ in 0..<4 { sources.deleteLastPathComponent() }
    sources.append(path: "Sources")
    var seen = 0
    for module in ["Gateway", "InfraBench", "LoadEngine", "Transport"] {
      let folder = sources.appending(path: module)
      for file in try FileManager.default.subpathsOfDirectory(atPath: folder.path)
      where file.hasSuffix(".swift")
        && !["ProfileFinder", "PlanCommand", "PlanOptions", "PlanValues", "PriceFile"]
          .contains(URL(filePath: file).deletingPathExtension().lastPathComponent)
      {
        seen += 1
        let text = String(decoding: try Data(contentsOf: folder.appending(path: file)), as: UTF8.self).lowercased()
        let names = text.matches(of: /\blab\b|laborator|"product"|`product`|the product's/).map { String($0.output) }
        #expect(names == [], "\(module)/\(file)")
      }
    }
    #expect(seen > 150)
  }

  @Test func eachHasTheRolesOfItsGateway() throws {
    let roles = { (name: String) in
      BuiltInProfiles.profile(name).map { profile in
        [GatewayRole.status, .acquire, .release, .agents, .session].filter { $0.isThere(in: profile) }
      }
    }
    #expect(roles("embedded") == [.status, .acquire, .release, .agents, .session])
    #expect(roles("lab") == [.status, .acquire, .release, .agents])
    #expect(roles("product") == [.acquire, .release, .session])
  }

  @Test func aGatewayWithTheSameCallsAndNoUsersSideIsTheLabs() {
    var embedded = BuiltInProfiles.embedded
    embedded.session = nil
    embedded.name = "lab"
    #expect(BuiltInProfiles.withoutUsersSide == embedded)
    #expect(GatewayCallForms(BuiltInProfiles.withoutUsersSide, native: BuiltInProfiles.embedded) == GatewayCallForms())
  }

  /// A token and a task that are not the suite's go nowhere but to their places.
  @Test func theProductIsSpokenToAsItIsDescribed() throws {
    let product = try #require(BuiltInProfiles.profile("product"))
    let values = ProfileValues([
      .userId: "u", .token: "a b&c", .task: "id/1", .message: #"say "hi""#, .uuid: "x", .sessionId: "s", .n: "1",
    ])
    let session = try #require(product.session)
    #expect(
      session.path.text(values) == "/?token=a%20b%26c" && session.needsToken && !session.needsTask && session.isLazy)
    #expect(session.send.text(values) == #"{"type":"message","message":"say \"hi\"","conversation_id":"x"}"#)
    #expect(session.ping?.every == 30_000_000_000 && session.ping?.send.text(values) == #"{"type":"ping"}"#)
    #expect(
      product.release?.call.path.text(values) == "/api/sessions/id%2F1" && product.release?.call.method == "DELETE")
    #expect(product.acquire?.success.holds(status: 201, nil) ?? false)
    func holds(_ condition: ProfileCondition?, _ text: String) -> Bool {
      condition?.holds(JSONNode.parse(text.utf8)) ?? false
    }
    for type in ["text_delta", "content", "text"] { #expect(holds(session.first, "{\"type\": \"\(type)\"}")) }
    for type in ["finish", "complete"] { #expect(holds(session.done, "{\"type\": \"\(type)\"}")) }
    for type in ["thinking", "progress", "tool_call", "tool_result"] {
      for condition in [session.first, session.done, session.asked, session.error, session.ready] {
        #expect(!holds(condition, "{\"type\": \"\(type)\"}"))
      }
    }
  }
}
