import Gateway
import Latency
import Synchronization
import TestSupport
import Testing
import Transport

@testable import InfraBench
@testable import Results

@Suite struct AssignmentLedgerTests {
  enum Step: Sendable { case assign, release }

  /// Every sequence of five steps on two tasks, against a plain set.
  @Test func aTaskGivenOutTwiceIsNoticedInEveryOrder() {
    let steps: [(Step, TaskID)] = [(.assign, "a"), (.assign, "b"), (.release, "a"), (.release, "b")]
    for code in 0..<1024 {
      var ledger = AssignmentLedger()
      var held: Set<TaskID> = []
      for position in 0..<5 {
        let (step, task) = steps[(code >> (2 * position)) & 3]
        switch step {
        case .assign:
          let isDuplicate = ledger.assign(task)
          #expect(isDuplicate == held.contains(task))
          held.insert(task)
        case .release:
          ledger.released(task)
          held.remove(task)
        }
        #expect(Set(ledger.outstanding.all) == held && ledger.outstanding.count == held.count)
      }
      #expect(!ledger.isOverLimit)
    }
  }

  @Test func aTaskIsFreeForOneUserFromTheMomentItsReleaseIsSent() {
    var ledger = AssignmentLedger()
    _ = ledger.assign("a")
    ledger.beginRelease("a")
    // The next user's answer is read before the answer to the release.
    let isDuplicate = ledger.assign("a")
    ledger.endRelease("a")
    #expect(!isDuplicate && ledger.outstanding.count == 1)
    let isDuplicateOfTheNext = ledger.assign("a")
    #expect(isDuplicateOfTheNext)

    ledger.beginRelease("a")
    ledger.failRelease("a")
    let isDuplicateAfterFailure = ledger.assign("a")
    #expect(isDuplicateAfterFailure && ledger.outstanding.count == 1)
    ledger.beginRelease("a")
    ledger.endRelease("a")
    #expect(ledger.outstanding.count == 0)
    // What was never given out is not held by a release either.
    ledger.beginRelease("b")
    let isDuplicateOfNothing = ledger.assign("b")
    #expect(!isDuplicateOfNothing && ledger.outstanding.count == 1)
  }

  @Test func beyondItsLimitItSaysSoAndStaysBounded() {
    var ledger = AssignmentLedger(limit: 3)
    let duplicates = (["0", "1", "2", "new", "1"] as [TaskID]).map { ledger.assign($0) }
    #expect(duplicates == [false, false, false, false, true])
    #expect(ledger.isOverLimit && Set(ledger.outstanding.all) == ["0", "1", "2"])
    ledger.released("1")
    let afterwards = (["new", "new"] as [TaskID]).map { ledger.assign($0) }
    #expect(afterwards == [false, true])
  }
}

@Suite struct TaskNamesTests {
  static let names = [
    "3c04db8b0f3abc8b9d30f63b889cae8c", "3C04DB8B0F3ABC8B9D30F63B889CAE8C", "3c04db8b0f3abc8b9d30f63b889cae8C",
    "3c04db8b-0f3a-bc8b-9d30-f63b889cae8c", "3C04DB8B-0F3A-BC8B-9D30-F63B889CAE8C",
    "3c04db8b0-f3a-bc8b-9d30-f63b889cae8c", "-3c04db8b0f3a-bc8b-9d30-f63b889cae8c",
    "3c04db8b-0f3a-bc8b-9d30-f63b889cae8-", "3c04db8b00f3a0bc8b09d300f63b889cae8c",
    "00000000000000000000000000000000", "00000000-0000-0000-0000-000000000000", "ffffffffffffffffffffffffffffffff",
    "0000000000000000000000000000000g", "+0000000000000000000000000000000", "0000000000000000000000000000000",
    "000000000000000000000000000000000", "", "task-1", "\u{e9}00000000000000000000000000000",
    "\u{e9}0000000000000000000000000000000000", "３c04db8b0f3abc8b9d30f63b889ca",
  ]

  @Test func everySpellingIsATaskOfItsOwnAndComesBackAsItWas() {
    var names = TaskIDSet()
    for (index, name) in Self.names.map({ TaskID($0) }).enumerated() {
      #expect(!names.contains(name), "\(name)")
      let insertions = [names.insert(name), names.insert(name)]
      #expect(insertions == [true, false])
      #expect(names.contains(name) && names.count == index + 1)
    }
    #expect(names.all.map(\.name).sorted() == Self.names.sorted())
    for (index, name) in Self.names.map({ TaskID($0) }).enumerated() {
      names.remove(name)
      #expect(!names.contains(name) && names.count == Self.names.count - index - 1)
    }
    #expect(names.all.isEmpty)
  }

  @Test func randomIDsAreKeptExactly() {
    var random = SeededRandom(seed: 3)
    var (names, expected) = (TaskIDSet(), Set<TaskID>())
    for _ in 0..<2000 {
      // Few distinct digits and leading zeros: many near misses.
      let digits = (0..<32).map { _ in ["0", "0", "a", "F"].randomElement(using: &random) ?? "0" }.joined()
      let name = TaskID(String(digits.dropFirst(Int.random(in: 0...1, using: &random))))
      let isNew = (names.insert(name), expected.insert(name).inserted)
      #expect(isNew.0 == isNew.1)
    }
    #expect(Set(names.all) == expected && names.count == expected.count)
  }
}

@Suite struct NumberSetTests {
  /// Numbers of few values, so that removals meet long runs of neighbours; 0 marks a free place in the table.
  @Test(arguments: [(UInt64(1), 40), (2, 300), (3, 5000)]) func itHoldsWhatASetHolds(_ seed: UInt64, _ range: Int) {
    var random = SeededRandom(seed: seed)
    var (set, expected) = (NumberSet(), Set<UInt128>())
    for step in 0..<20_000 {
      let number =
        UInt128(Int.random(in: 0..<range, using: &random)) << UInt128([0, 64].randomElement(using: &random) ?? 0)
      if Bool.random(using: &random) {
        let isNew = set.insert(number)
        #expect(isNew == expected.insert(number).inserted)
      } else {
        set.remove(number)
        expected.remove(number)
      }
      #expect(set.count == expected.count && set.contains(number) == expected.contains(number))
      if step % 1000 == 0 {
        let hasAll = expected.allSatisfy { set.contains($0) }
        #expect(hasAll && Set(set.all) == expected && set.all.count == expected.count)
      }
    }
    for number in expected { set.remove(number) }
    #expect(set.count == 0 && set.all.isEmpty)
  }
}

@Suite struct WarmClassifierTests {
  @Test(
    arguments: [
      ("warm", false, .warm), ("cold", true, .cold), (nil, true, .warm), (nil, false, nil), ("hot", true, .warm),
      ("WARM", false, nil), ("", false, nil),
    ] as [(String?, Bool, TaskOrigin?)])
  func theGatewaysWordComesFirstThenThePoolsStatus(_ source: String?, _ isCovered: Bool, _ origin: TaskOrigin?) {
    #expect(WarmClassifier.classify(source: source, isCovered: isCovered) == origin)
  }

  private static func look(_ warmCount: Int, connectedAt: String? = nil, date: String? = nil) -> PoolStatus {
    let tasks = [TaskEntry(taskId: "t", state: "warm", connectedAt: connectedAt)]
    return PoolStatus(
      status: StatusAnswer(warmCount: warmCount, assignedCount: 0, tasks: connectedAt == nil ? nil : tasks), date: date,
      readAt: .distantPast)
  }

  /// The request was at 12:00:05 by the gateway's clock.
  @Test(
    arguments: [
      (1, "2026-03-01T12:00:04.999Z", .warm), (1, "2026-03-01T12:00:05.2Z", .unclassified),
      (1, "2026-03-01T12:00:06Z", .cold), (0, "2026-03-01T12:00:04.999Z", .warm), (0, "2026-03-01T12:00:05.2Z", .cold),
      (0, "2026-03-01T12:00:06Z", .cold), (0, nil, .cold), (1, nil, .unclassified), (1, "yesterday", .unclassified),
    ] as [(Int, String?, TaskOrigin)])
  func thenTheTimeOfItsConnectionAndThatNothingWasWarm(_ warm: Int, _ connectedAt: String?, _ origin: TaskOrigin) {
    let before = Self.look(warm, date: "Sun, 01 Mar 2026 12:00:05 GMT")
    #expect(WarmClassifier.classify("t", before: before, after: Self.look(0, connectedAt: connectedAt)) == origin)
  }

  @Test func whatWasListedBeforeTheRequestIsWarmAndWithoutLooksNobodyKnows() {
    let listed = Self.look(1, connectedAt: "2026-03-01T12:00:07Z")
    #expect(WarmClassifier.classify("t", before: listed, after: nil) == .warm)
    #expect(WarmClassifier.classify("t", before: nil, after: listed) == .unclassified)
  }
}

@Suite(.timeLimit(.minutes(1))) struct HeldTasksTests {
  static let loops = LoopGroup()

  private func client(_ server: ScriptedServer, timeout: Nanoseconds = .seconds(20)) -> GatewayClient {
    let endpoint = Endpoint(host: "127.0.0.1", port: server.port)
    return GatewayClient(
      to: endpoint, requests: GatewayRequests(to: endpoint), tls: nil, on: Self.loops.executor(forUser: 0),
      timeout: timeout)
  }

  private func held(_ tasks: Int) -> HeldTasks {
    let held = HeldTasks()
    for number in 0..<tasks { _ = held.assign("task-\(number)") }
    return held
  }

  private var quiet: RunContext { RunContext(console: Console(print: .json, isQuiet: true)) }

  @Test(arguments: [
    (200, #"{"success": true}"#, 0), (200, #"{"success": false, "error": "unknown task"}"#, 1),
    (404, #"{"success": false, "error": "unknown task"}"#, 1), (404, "", 1), (405, "", 1),
    (405, #"{"success": false}"#, 1),
    (500, #"{"success": false, "error": "internal"}"#, 1), (503, "", 1), (200, "rubbish", 1),
  ])
  func aTaskIsHeldUntilTheGatewayHasItBack(_ status: Int, _ body: String, _ left: Int) async throws {
    let server = try await ScriptedServer { _ in [ScriptedServer.answer(body, status: status)] }
    let (held, bench) = (held(1), quiet)
    await held.release("task-0", through: client(server), bench: bench)
    #expect(held.count == left && held.unreleased == left)
    held.sayWhatIsLeft(to: bench) { _ in nil }
    // One missing page says nothing yet.
    let isUnknown = body.isEmpty && [404, 405].contains(status)
    #expect(bench.notes.all.contains { $0.hasPrefix("1 release ") } == (left == 1 && !isUnknown))
    #expect(bench.notes.all.contains { $0.hasPrefix("1 task could not be released") } == (left == 1))
    await server.stop()
  }

  /// Behind a balancer the node that refuses may be another one than that which gave no answer.
  @Test(arguments: [false, true])
  func aRefusalAfterAReleaseWithoutAnAnswerSaysThatItWasDoneByAGatewayOfOneNodeAlone(isOwn: Bool) async throws {
    let server = try await ScriptedServer { request in
      request.connection == 1
        ? [.close] : [ScriptedServer.answer(#"{"success": false, "error": "unknown task"}"#, status: 404)]
    }
    let (held, bench) = (held(1), quiet)
    if isOwn { held.areOfOwnGateway() }
    for _ in 0..<2 { await held.release("task-0", through: client(server), bench: bench) }
    #expect(held.count == (isOwn ? 0 : 1) && held.unreleased == held.count)
    await server.stop()
  }

  @Test(arguments: [1, 2, 4]) func missingPagesOfAMomentAreNoGatewayWithoutReleases(pages: Int) async throws {
    let answered = Mutex(0)
    let server = try await ScriptedServer { _ in
      let number = answered.withLock { number in
        number += 1
        return number
      }
      return number <= pages
        ? [ScriptedServer.answer("<html>no such page</html>", status: 404)]
        : [ScriptedServer.answer(#"{"success": true}"#)]
    }
    let (held, bench) = (held(4), quiet)
    for number in 0..<4 { await held.release("task-\(number)", through: client(server), bench: bench) }
    await held.releaseAll(through: [client(server)], bound: .seconds(20), bench: bench)
    #expect(held.count == 0 && held.unreleased == 0)
    #expect(bench.notes.all.count == 1 && bench.notes.all[0].contains("some releases found no /api/release"))
    await server.stop()
  }

  /// A gateway gives the task to the next user as soon as it has it back, and that user's answer comes first.
  @Test(arguments: [false, true])
  func aTaskGivenOutBeforeItsReleaseWasAnsweredIsNoDuplicate(knowsTheCall: Bool) async throws {
    let server = try await ScriptedServer { request in
      let answer = ScriptedServer.answer(#"{"success": true}"#)
      return request.body.contains("task-0") ? [.wait(.milliseconds(200)), answer] : [answer]
    }
    let (held, bench) = (held(2), quiet)
    if knowsTheCall { await held.release("task-1", through: client(server), bench: bench) }
    let client = client(server)
    let release = Task { await held.release("task-0", through: client, bench: bench) }
    await server.waitForRequests(knowsTheCall ? 2 : 1)
    let isDuplicate = held.assign("task-0")
    let releasedAt = await release.value
    #expect(!isDuplicate && releasedAt != nil && held.count == (knowsTheCall ? 1 : 2))
    let isDuplicateOfTheNext = held.assign("task-0")
    #expect(isDuplicateOfTheNext)
    await server.stop()
  }

  @Test func aTaskThatIsGivenOutAfterARefusedReleaseIsNoDuplicate() async throws {
    let refusal = #"{"success": false, "error": "unknown task"}"#
    let server = try await ScriptedServer { _ in [ScriptedServer.answer(refusal, status: 404)] }
    let held = held(1)
    let isDuplicateBefore = held.assign("task-0")
    await held.release("task-0", through: client(server), bench: quiet)
    let isDuplicateAfter = held.assign("task-0")
    let isDuplicateAtLast = held.assign("task-0")
    #expect([isDuplicateBefore, isDuplicateAfter, isDuplicateAtLast] == [true, false, true])
    await server.stop()
  }

  @Test func aGatewayWithoutReleaseIsKnownAfterSomeTriesAndNotedOnce() async throws {
    let server = try await ScriptedServer { _ in [ScriptedServer.answer("", status: 404)] }
    let (held, bench) = (held(5), quiet)
    for number in 0..<5 { await held.release("task-\(number)", through: client(server), bench: bench) }
    await held.releaseAll(through: [client(server)], bound: .seconds(5), bench: bench)
    #expect(held.count == 5 && held.unreleased == 0)
    // No more than these: five, of which one counts, and three at the end, of which the first may come too soon to count;
    // then one at each end.
    let tries = server.requests.count
    #expect(tries >= 3 && tries <= 8)
    await held.release("task-0", through: client(server), bench: bench)
    await held.releaseAll(through: [client(server)], bound: .seconds(5), bench: bench)
    #expect(server.requests.count == tries + 1)
    #expect(bench.notes.all.count == 1 && bench.notes.all[0].contains("--hold"))
    await server.stop()
  }

  @Test(arguments: [1, 3, 8]) func everythingHeldIsGivenBackOnce(_ clients: Int) async throws {
    let server = try await ScriptedServer { _ in [ScriptedServer.answer(#"{"success": true}"#)] }
    let (held, bench) = (held(20), quiet)
    await held.releaseAll(
      through: (0..<clients).map { _ in client(server) }, bound: .seconds(20), bench: bench)
    #expect(held.count == 0 && bench.notes.all.isEmpty)
    #expect(Set(server.requests.map(\.body)).count == 20 && server.requests.count == 20)
    #expect(server.connectionCount == min(clients, 20))
    await server.stop()
  }

  @Test(arguments: [false, true]) func eachTaskIsGivenBackWithItsUsersToken(haveSeveral: Bool) async throws {
    let server = try await ScriptedServer { _ in [ScriptedServer.answer(#"{"success": true}"#)] }
    let (held, bench) = (HeldTasks(), quiet)
    if haveSeveral { held.areOfSeveralTokens() }
    for number in 0..<12 { _ = held.assign("task-\(number)", user: number) }
    let endpoint = Endpoint(host: "127.0.0.1", port: server.port)
    await held.releaseAll(
      through: [client(server), client(server)],
      as: { GatewayRequests(to: endpoint, headers: [("X-User", "of-\($0).")]) }, bound: .seconds(20), bench: bench)
    #expect(held.count == 0 && server.requests.count == 12 && server.connectionCount == 2)
    for number in 0..<12 {
      let request = try #require(server.requests.first { $0.body.contains("\"task-\(number)\"") })
      #expect(request.head.contains("X-User: of-\(number).") == haveSeveral)
    }
    await server.stop()
  }

  @Test func whatIsLeftNamesWhoseTokenItTakes() {
    func note(_ owners: [String: Int], areSessions: Bool = false, command: String? = "curl") -> String {
      UnreleasedTasks(names: owners.keys.sorted(), areOfNodes: false, areSessions: areSessions, owners: owners)
        .note { name in command.map { "\($0) \(name)" } }
    }
    #expect(
      note(["a": 7]).hasSuffix(
        "a. Give it back with user 7's token: curl a; of a pool in ECS, aws ecs stop-task ends a task too"))
    #expect(
      note(["a": 7, "b": 8]).contains("Give them back, each with its user's token, here user 7's token: curl a;"))
    #expect(note(["a": 0]).contains("Give it back with the first token: curl a;"))
    #expect(
      note(["a": 1, "b": 2], areSessions: true, command: nil)
        == "2 sessions could not be released and are still open: a, b. Give them back, each with its user's token by the "
        + "gateway's release call")
    #expect(
      UnreleasedTasks(names: ["s"], areOfNodes: false, areSessions: true).note { _ in nil }
        == "1 session could not be released and is still open: s. Give it back by the gateway's release call")
  }

  @Test func aMuteGatewayCannotHoldTheToolBeyondTheBound() async throws {
    let server = try await ScriptedServer { _ in [] }
    let (held, bench) = (held(10), quiet)
    let startedAt = MonotonicClock.now()
    await held.releaseAll(
      through: [client(server), client(server)], bound: .milliseconds(200), bench: bench)
    // Below the clients' own 20 s, let alone five of them.
    #expect(MonotonicClock.now() - startedAt < 20_000_000_000)
    held.sayWhatIsLeft(to: bench) { "give back \($0)" }
    #expect(held.count == 10)
    #expect(
      bench.notes.all.last?.hasPrefix(
        "10 tasks could not be released and are still assigned: task-0, task-1, task-2, task-3, task-4 and 5 more. "
          + "Give them back: give back task-0;") ?? false, "\(bench.notes.all)")
    await server.stop()
  }

  @Test func refusedAndFailedReleasesAreOneNoteEachWithTheirNumber() async throws {
    let server = try await ScriptedServer { request in
      let isFailure = request.body.contains("task-1")
      return isFailure
        ? [ScriptedServer.answer("down", status: 503)]
        : [ScriptedServer.answer(#"{"success": false, "error": "unknown \#(request.body.count)"}"#, status: 404)]
    }
    let (held, bench) = (held(12), quiet)
    await held.releaseAll(through: [client(server)], bound: .seconds(20), bench: bench)
    await held.releaseAll(through: [client(server)], bound: .seconds(20), bench: bench)
    held.sayWhatIsLeft(to: bench) { _ in nil }
    let notes = bench.notes.all
    #expect(notes.count == 3, "\(notes)")
    // task-1, task-10 and task-11 got no proper answer, twice.
    #expect(notes[0].hasPrefix("18 releases were refused, the first: unknown "))
    #expect(notes[1] == "6 releases failed, the first: http_503: status 503: down")
    #expect(notes[2].hasPrefix("12 tasks could not be released and are still assigned: "))
    await server.stop()
  }

  @Test func whatIsGivenBackLeavesNothingToSay() async throws {
    let server = try await ScriptedServer { _ in [ScriptedServer.answer(#"{"success": true}"#)] }
    let (held, bench) = (held(3), quiet)
    await held.releaseAll(through: [client(server)], bound: .seconds(20), bench: bench)
    held.sayWhatIsLeft(to: bench) { _ in nil }
    #expect(bench.notes.all.isEmpty)
    await server.stop()
  }

  @Test func afterATransportFailureTheNextTaskIsTriedOnANewConnection() async throws {
    let server = try await ScriptedServer { request in
      request.connection == 1 ? [.close] : [ScriptedServer.answer(#"{"success": true}"#)]
    }
    let (held, bench) = (held(3), quiet)
    await held.releaseAll(through: [client(server)], bound: .seconds(20), bench: bench)
    #expect(held.count == 1 && server.connectionCount == 2)
    await held.releaseAll(through: [client(server)], bound: .seconds(20), bench: bench)
    #expect(held.count == 0)
    await server.stop()
  }
}

@Suite struct NoteBookTests {
  @Test func aNoteIsSaidOnceAndNotesAreBounded() {
    let notes = RunNotes()
    #expect(notes.add("a") && !notes.add("a") && notes.add("b"))
    #expect(notes.all == ["a", "b"])
    for number in 0..<1000 { notes.add("\(number)") }
    #expect(notes.all.count == 100)
  }
}
