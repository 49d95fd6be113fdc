import Gateway
import Latency
import ProcessControl
import Testing
import TestSupport
import Transport

@testable import WarmTask

private let settings = Assignment.Settings(workspaceRoot: "/efs", environmentName: "dev", initTimeout: .seconds(30))
private let planInit = GatewayToTask(type: "init_user", userId: "u1", workspaceDir: "/efs/prod/u1", token: "t")
private let labInit = GatewayToTask(type: "init_user_session", userId: "u1", sessionId: "s1", env: "stage")
/// So many ms after the clock's first instant.
private func ms(_ number: UInt64) -> Instant { .distantPast + .milliseconds(number) }

/// A lifecycle after `events`, and the actions of the last one.
private func after(_ events: [TaskLifecycle.Event]) -> (TaskLifecycle, [TaskLifecycle.Action]) {
  var lifecycle = TaskLifecycle(settings: settings)
  var actions: [TaskLifecycle.Action] = []
  for event in events { actions = lifecycle.handle(event) }
  return (lifecycle, actions)
}

private func sent(_ actions: [TaskLifecycle.Action]) -> [TaskToGateway] {
  actions.compactMap { action in
    switch action {
    case .send(let message), .confirm(let message): message
    default: nil
    }
  }
}

private func outcome(_ actions: [TaskLifecycle.Action]) -> TaskOutcome? {
  for case .finish(let outcome, _) in actions { return outcome }
  return nil
}

private let warm: [TaskLifecycle.Event] = []
private let preparing: [TaskLifecycle.Event] = [.message(planInit, at: ms(100))]
private let starting = preparing + [.workspaceReady(at: ms(120))]
private let started = starting + [.processStarted(pid: 7, at: ms(130))]
private let ready = started + [.processSaid(["up"], at: ms(380))]

@Suite struct TaskLifecycleTests {
  @Test func planDialectIsConfirmedWithTheBreakdown() {
    let (_, actions) = after(ready)
    #expect(
      actions == [
        .stopInitTimer, .report(.firstLine, at: ms(380)),
        .confirm(
          TaskToGateway(
            type: "ready", breakdown: InitBreakdown(initUserMs: 280, workspaceMs: 20, processStartMs: 250))),
        .readOutput,
      ])
  }

  @Test func labDialectIsConfirmedWithItsUserAndPutsTheDirectoryBelowTheEnvironment() {
    let (_, first) = after([.message(labInit, at: 0)])
    guard case .prepareWorkspace(let assignment)? = first.last else {
      Issue.record("no workspace")
      return
    }
    #expect(assignment.directory == "/efs/stage/u1")
    let (_, actions) = after([
      .message(labInit, at: 0), .workspaceReady(at: ms(1)), .processStarted(pid: 1, at: ms(1)),
      .processSaid(["up"], at: ms(2)),
    ])
    #expect(sent(actions).first?.type == "user_session_ready")
    #expect(sent(actions).first?.userId == "u1")
  }

  @Test(arguments: [("/efs" as String?, nil as Int32?), (nil, 7), (nil, nil), ("/efs", 7)])
  func phasesThatDidNotHappenAreAbsent(root: String?, pid: Int32?) throws {
    var lifecycle = TaskLifecycle(
      settings: Assignment.Settings(workspaceRoot: root, environmentName: "dev", initTimeout: .seconds(30)))
    var actions = lifecycle.handle(.message(GatewayToTask(type: "init_user", userId: "u1"), at: 0))
    actions += lifecycle.handle(.workspaceReady(at: ms(1)))
    actions += lifecycle.handle(.processStarted(pid: pid, at: ms(2)))
    actions += lifecycle.handle(.processSaid(["up"], at: ms(5)))
    let breakdown = try #require(sent(actions).first?.breakdown)
    #expect(breakdown.initUserMs == 5)
    #expect(breakdown.workspaceMs == (root == nil ? nil : 1))
    #expect(breakdown.processStartMs == (pid == nil ? nil : 3))
    #expect(actions.contains(.report(.workspaceReady, at: ms(1))) == (root != nil))
  }

  @Test func linesAfterTheFirstAreOutputInOrder() {
    let (_, actions) = after(started + [.processSaid(["up", "a", "b"], at: 0)])
    #expect(sent(actions).map(\.type) == ["ready", "user_output", "user_output"])
    #expect(sent(actions).compactMap(\.line) == ["a", "b"])
  }

  @Test func theFirstLineIsThereWithItsLastPieceAndLaterPiecesSayThatTheyGoOn() {
    func piece(_ text: String) -> OutputLine { OutputLine(text: text, goesOn: true) }
    let (_, actions) = after(started + [.processSaid([piece("u")], at: 0)])
    #expect(actions == [.readOutput])
    let (_, last) = after(
      started + [.processSaid([piece("u")], at: 0), .processSaid([piece("p"), "!", piece("a"), "b"], at: 0)])
    #expect(sent(last).map(\.type) == ["ready", "user_output", "user_output"])
    #expect(sent(last).dropFirst().map(\.line) == ["a", "b"])
    #expect(sent(last).dropFirst().map(\.goesOn) == [true, nil])
  }

  @Test func inputBeforeTheProcessWaitsForIt() {
    let input = (1...3).map { TaskLifecycle.Event.message(GatewayToTask(type: "user_input", line: "\($0)"), at: 0) }
    let (_, actions) = after(preparing + input + [.workspaceReady(at: 0), .processStarted(pid: 7, at: 5)])
    #expect(actions == [.report(.processStarted(pid: 7), at: 5), .writeInput("1"), .writeInput("2"), .writeInput("3")])
  }

  @Test func heldInputIsBounded() {
    let line = TaskLifecycle.Event.message(GatewayToTask(type: "user_input", line: "x"), at: 0)
    let (_, actions) = after(preparing + Array(repeating: line, count: TaskLifecycle.maximumHeldInput + 1))
    #expect(sent(actions).map(\.status) == ["input_dropped"])
  }

  @Test(arguments: [preparing, starting, started, ready])
  func secondUserIsTurnedAway(state: [TaskLifecycle.Event]) {
    let (_, actions) = after(state + [.message(labInit, at: 0)])
    #expect(sent(actions).map(\.status) == ["already_assigned"])
    #expect(outcome(actions) == nil)
  }

  @Test(arguments: ["", "../../etc", ".hidden", "a/b", "a b", String(repeating: "a", count: 10_000), "ü"])
  func invalidUserTouchesNoFile(userId: String) {
    for type in ["init_user", "init_user_session"] {
      let (_, actions) = after([.message(GatewayToTask(type: type, userId: userId), at: 0)])
      #expect(sent(actions).map(\.type) == ["init_failed"])
      #expect(!actions.contains { if case .prepareWorkspace = $0 { true } else { false } })
    }
  }

  @Test func environmentNameIsNoWayOutOfTheRoot() {
    let (_, actions) = after([.message(GatewayToTask(type: "init_user_session", userId: "u", env: ".."), at: 0)])
    #expect(sent(actions).map(\.type) == ["init_failed"])
  }

  /// Every state against every event that ends or fails something: what the gateway is told, and how it ends.
  @Test(arguments: [
    (preparing, TaskLifecycle.Event.workspaceFailed("disk full"), "init_failed"),
    (preparing, .initTimedOut, "init_failed"),
    (starting, .processFailed("no such program"), "init_failed"),
    (starting, .initTimedOut, "init_failed"),
    (started, .initTimedOut, "init_failed"),
    (started, .processEnded(.exited(3)), "init_failed"),
    (ready, .processEnded(.exited(3)), "status"),
  ])
  func failureIsToldOnceAndEndsTheLife(state: [TaskLifecycle.Event], event: TaskLifecycle.Event, told: String) {
    var (lifecycle, actions) = after(state + [event])
    #expect(sent(actions).map(\.type) == [told])
    #expect(sent(actions).first?.error?.isEmpty == false)
    #expect(outcome(actions) != nil)
    #expect(actions.contains(.stopInitTimer))
    for late in [event, .processEnded(.exited(0)), .socketEnded(nil), .initTimedOut, .stopRequested] {
      #expect(lifecycle.handle(late).isEmpty)
    }
  }

  @Test(arguments: [warm, ready])
  func timerThatFiresLateDoesNothing(state: [TaskLifecycle.Event]) {
    #expect(after(state + [.initTimedOut]).1.isEmpty)
  }

  @Test(arguments: [
    (warm, WebSocketError.closed(code: 1000, reason: ""), TaskOutcome.retired),
    (preparing, .closed(code: 1000, reason: ""), .released),
    (ready, .closed(code: 1000, reason: ""), .released),
    (warm, .closed(code: 1006, reason: ""), .connectionLost(.closed(code: 1006, reason: ""))),
    (ready, .closed(code: 1006, reason: ""), .connectionLost(.closed(code: 1006, reason: ""))),
    (ready, .protocolViolation("x"), .connectionLost(.protocolViolation("x"))),
  ])
  func endOfTheSocketEndsTheLife(state: [TaskLifecycle.Event], error: WebSocketError, expected: TaskOutcome) {
    let (_, actions) = after(state + [.socketEnded(error)])
    #expect(outcome(actions) == expected)
    #expect(sent(actions).isEmpty)
  }

  @Test func unknownMessagesAndEarlyInputAreIgnored() {
    #expect(after([.message(GatewayToTask(type: "novelty"), at: 0)]).1.isEmpty)
    #expect(after([.message(GatewayToTask(type: "user_input", line: "x"), at: 0)]).1.isEmpty)
    #expect(sent(after([.malformedMessage]).1).map(\.status) == ["invalid_message"])
  }

  /// Without a uid the program would be root's, and with one that nobody allowed it could be anybody's.
  @Test(
    arguments: [
      (nil, nil, true), (nil, 1150, true), ("1100-1200", 1150, true), ("1100-1200", 1100, true),
      ("1100-1200", nil, false), ("1100-1200", 1099, false), ("1100-1200", 0, false),
    ] as [(String?, UInt32?, Bool)])
  func aUserHasAUidOfTheAgentsRangeOrNone(_ range: String?, _ uid: UInt32?, _ isTaken: Bool) throws {
    var settings = settings
    settings.userIDs = range.flatMap(UserIDRange.init)
    let message = GatewayToTask(type: "init_user", userId: "u1", uid: uid)
    let assignment = try? Assignment.make(of: message, receivedAt: 0, settings: settings).get()
    #expect((assignment != nil) == isTaken)
    #expect(assignment?.uid == (range == nil || !isTaken ? nil : uid))
  }

  @Test func programGetsItsUsersEnvironmentAndNoneOfTheAgentsSecrets() throws {
    let assignment = try Assignment.make(of: labInit, receivedAt: 0, settings: settings).get()
    let environment = assignment.programEnvironment(inheriting: ["PATH": "/bin", "GATEWAY_TOKEN": "secret"])
    #expect(
      environment == [
        "PATH": "/bin", "USER_ID": "u1", "SESSION_ID": "s1", "ENVIRONMENT": "stage", "HOME": "/efs/stage/u1",
        "WORKSPACE": "/efs/stage/u1", "PWD": "/efs/stage/u1",
      ])
  }
}
