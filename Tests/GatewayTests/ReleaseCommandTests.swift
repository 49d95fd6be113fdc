import FoundationEssentials
import Gateway
import ProcessControl
import TestSupport
import Testing
import Transport

/// The command that people are shown for a task that is left.
@Suite(.timeLimit(.minutes(1))) struct ReleaseCommandTests {
  private func command(
    _ task: String, at endpoint: Endpoint, headers: [(name: String, value: String)] = []
  ) -> String? {
    GatewayRequests(to: endpoint, headers: headers).releaseCommand(taskID: task, at: endpoint)
  }

  @Test func itNamesTheHeadersWithoutTheirValues() {
    let shown = command(
      "t-1", at: Endpoint(host: "gateway.example", port: 443, isSecure: true, basePath: "/base"),
      headers: [("Authorization", "Bearer secret")])
    #expect(
      shown == """
        curl -X POST -H 'Authorization: …' -H 'Content-Type: application/json' -d '{"taskId":"t-1"}' \
        'https://gateway.example:443/base/api/release'
        """)
  }

  @Test(arguments: ["", "a'b", "$(reboot)", "a b", "a\nb", "\u{1b}[31m", String(repeating: "t", count: 201)])
  func aNameThatIsNoPlainWordGoesIntoNoShell(_ task: String) {
    #expect(command(task, at: Endpoint(host: "g", port: 80)) == nil)
  }

  @Test func ofAProfileItIsThatOnesCallWithoutItsToken() throws {
    let endpoint = Endpoint(host: "g", port: 80)
    var profile = GatewayProfile(name: "own")
    func shown(token: String? = "s3cret-token") -> String? {
      GatewayRequests(
        to: endpoint, headers: [], callForms: GatewayCallForms(profile, native: GatewayProfile(name: "none")),
        token: token
      ).releaseCommand(taskID: "t/1", at: endpoint)
    }
    #expect(shown() == nil, "a gateway without a release call")
    profile.release = GatewayProfile.Release(
      call: .init(method: "DELETE", path: try ProfileTemplate("/api/sessions/{task}?key={token}", as: .path)),
      success: ProfileCondition([.init(status: [204])]))
    #expect(shown() == "curl -X DELETE 'http://g:80/api/sessions/t%2F1?key=TOKEN'")
  }

  @Test func itDoesWhatItSays() async throws {
    let server = try await ScriptedServer { _ in [ScriptedServer.answer(#"{"success": true}"#)] }
    let endpoint = Endpoint(host: "127.0.0.1", port: server.port, basePath: "/x")
    let shown = try #require(command("task/7", at: endpoint))
    let shell = try await ProcessKeeper.shared.spawn(
      ProcessRequest(
        executable: "/bin/sh", arguments: ["-c", "\(shown) -s --noproxy '*'"], standardInput: .null,
        standardOutput: .null, standardError: .null))
    #expect(await shell.waitForExit() == .exited(0))
    let request = try #require(server.requests.first)
    #expect(request.line == "POST /x/api/release")
    #expect(try JSONDecoder().decode([String: String].self, from: Data(request.body.utf8)) == ["taskId": "task/7"])
    await server.stop()
  }
}
