import FoundationEssentials
import Gateway
import ProcessControl
import Testing

/// The address at which faults are set, read and ended.
@Suite(.serialized, .timeLimit(.minutes(3))) struct ControlAddressTests {
  @Test func itExistsOnlyWhereItIsAskedFor() async throws {
    let plain = try await GatewayProgram.start(FaultyGateway.twoVirtualTasks)
    #expect(plain.ready.controlUrl == nil && plain.ready.controlToken == nil)
    _ = await plain.stop()
    try await FaultyGateway.with(faults: "start-fails:count=1") { gateway in
      #expect(gateway.program.ready.controlUrl?.hasPrefix("http://127.0.0.1:") == true)
      #expect(gateway.program.ready.controlToken?.utf8.count == 32 && gateway.controlPort != gateway.port)
      // The plan of the command line plays from the start, and the pool gets over it.
      try await gateway.warm(2)
      #expect(try await gateway.report().injected("start-fails") == 1)
    }
  }

  @Test func itWantsItsTokenAndNoWebPage() async throws {
    try await FaultyGateway.with { gateway in
      let token = gateway.program.ready.controlToken ?? ""
      let wrong = [
        "", "Bearer", "Bearer ", "Bearer \(token)x", "Bearer \(token.dropLast())", "Basic \(token)", token,
        "Bearer \(token.uppercased())é", "Bearer \(token) \(token)",
      ]
      for authorization in wrong {
        for method in ["GET", "POST", "DELETE", "PUT"] {
          let answer = try await gateway.control(method, "task-death", authorization: authorization)
          #expect(answer.status == 401, "\(method) '\(authorization)'")
          #expect(answer.headers["www-authenticate"] == "Bearer" && !answer.body.contains(token))
        }
      }
      let twice = try await gateway.control("GET", headers: "authorization: Bearer \(token)\r\n")
      #expect(twice.status == 401, "two tokens are none")
      let page = try await gateway.control("POST", "task-death", headers: "origin: http://127.0.0.1\r\n")
      #expect(page.status == 403)
      #expect(try await gateway.report().faults.isEmpty)
      #expect(try await gateway.control("GET", authorization: "bearer \(token)").status == 200)
      // The gateway's own port knows nothing of faults.
      #expect(try await gateway.ask("GET", "/faults").status == 404)
    }
  }

  @Test func planIsSetReplacedReadAndEnded() async throws {
    try await FaultyGateway.with { gateway in
      try await gateway.warm(2)
      #expect(try await gateway.report().faults.isEmpty)
      let set = try await gateway.set("seed=3; answer-5xx:on=health,count=2; answer-5xx:on=users,after=1h")
      #expect(set.seed == 3 && set.faults.map(\.state) == ["playing", "waiting"])
      for status in [503, 503, 200] { #expect(try await gateway.ask("GET", "/health").status == status) }
      #expect(try await gateway.report().faults[0].injected == 2)
      try await gateway.set(#"{"faults": [{"fault": "answer-5xx", "on": "health", "status": 599}]}"#)
      #expect(try await gateway.ask("GET", "/health").status == 599)
      let ended = try await gateway.remove()
      #expect(ended.injected == 1 && ended.faults.count == 1)
      #expect(try await gateway.ask("GET", "/health").status == 200)
      #expect(try await gateway.report().faults.isEmpty)
    }
  }

  @Test func wrongSpecificationChangesNothingAndNamesAllMistakes() async throws {
    try await FaultyGateway.with { gateway in
      try await gateway.set("answer-5xx:on=health")
      let refused = try await gateway.control("POST", "task-dies-warm:rate=x; bogus; answer-5xx:status=1")
      #expect(refused.status == 400)
      #expect(try refused.json(FaultyGateway.Refusal.self).error.problems?.count == 3)
      #expect(try await gateway.ask("GET", "/health").status == 503)
      #expect(try await gateway.control("POST", "").status == 400)
      #expect(try await gateway.control("POST", String(repeating: "x", count: 100_000)).status == 413)
      #expect(try await gateway.control("PUT", "task-death").headers["allow"] == "GET, POST, DELETE")
      #expect(try await gateway.control("GET", path: "/").status == 404)
      #expect(try await gateway.report().faults.count == 1)
    }
  }

  /// The control address must answer while the gateway's own answers are held back.
  @Test func endOfAPlanLetsHeldAnswersLeave() async throws {
    try await FaultyGateway.with { gateway in
      try await gateway.warm(2)
      try await gateway.set("answer-stall:for=1h")
      let held = try await RawConnection.open(gateway.port)
      try await held.request("POST", "/api/acquire", #"{"userId":"a"}"#)
      try await gateway.eventually("the answer is not held") { try await gateway.report().injected == 1 }
      #expect(try await gateway.remove().injected == 1)
      #expect(try await held.answer().json(AcquireAnswer.self).success == true)
      held.close()
    }
  }

  @Test(arguments: [
    ["--faults", "bogus; start-fails:p=2"], ["--faults", ""], ["--faults", "/nowhere/faults.json"],
    ["--planted-bug", "none"], ["--init-timeout", "0s"],
  ])
  func wrongUsageEndsBeforeAnythingStarts(arguments: [String]) async throws {
    let process = try await ProcessKeeper.shared.spawn(
      ProcessRequest(
        executable: "\(GatewayProgram.directory)/mock-gateway",
        arguments: ["--port", "0", "--virtual-tasks"] + arguments,
        standardInput: .null, standardOutput: .null, standardError: .null, diesWithParent: true))
    #expect(await process.waitForExit() == .exited(64))
  }

  @Test func planIsReadFromAFile() async throws {
    let path = "\(FileManager.default.temporaryDirectory.path)/faults-\(UUID().uuidString).json"
    #expect(
      FileManager.default.createFile(
        atPath: path,
        contents: Data(#"{"seed": 4, "faults": ["gateway-stall", {"fault": "start-fails", "p": 0}]}"#.utf8)))
    defer { try? FileManager.default.removeItem(atPath: path) }
    try await FaultyGateway.with(faults: path) { gateway in
      let report = try await gateway.report()
      #expect(report.seed == 4 && report.faults.map(\.fault) == ["answer-stall", "start-fails"])
    }
  }
}
