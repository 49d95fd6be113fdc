import Latency
import NIOCore
import Synchronization
import TestSupport
import Testing
import Transport

@testable import LoadEngine

/// The engine's books against those of a server, under errors, timeouts, closed connections and cancellation.
@Suite(.timeLimit(.minutes(1))) struct LoopbackAccountingTests {
  /// One GET per iteration over a connection per user, opened anew when it is gone.
  struct GetScenario: Scenario {
    final class User: Sendable {
      let executor: LoopExecutor
      let connection = Mutex<HTTPConnection?>(nil)
      init(_ executor: LoopExecutor) { self.executor = executor }
    }

    static let catalogue = Catalogue(metrics: ["get", "get_service"], counters: [])
    static let get = catalogue.operation("get")
    let port: Int
    let timeout: Nanoseconds

    func makeUser(_ number: Int, on executor: LoopExecutor) async -> User { User(executor) }

    func open(_ user: User, into record: inout IterationRecord) async {
      await prepare(user, Iteration(number: 0, isWarmup: true), into: &record)
    }

    func prepare(_ user: User, _ iteration: Iteration, into record: inout IterationRecord) async {
      if user.connection.withLock({ $0?.isUsable ?? false }) { return }
      let begin = MonotonicClock.now()
      defer { record.occupied(from: begin, to: MonotonicClock.now()) }
      switch await HTTPConnection.connect(
        to: Endpoint(host: "127.0.0.1", port: port), tls: nil, on: user.executor, timeout: .seconds(20))
      {
      case .success(let new): user.connection.withLock { $0 = new }
      case .failure(let error): record.fail(error.kind.rawValue, error.message)
      }
    }

    func perform(_ user: User, _ iteration: Iteration, into record: inout IterationRecord) async {
      guard let connection = user.connection.withLock({ $0 }) else { return record.fail("none", "") }
      let request = ByteBuffer(string: "GET /\(iteration.number) HTTP/1.1\r\nHost: h\r\n\r\n")
      switch await connection.exchange(request, timeout: timeout) {
      case .success(let exchange):
        record.wrote(at: exchange.firstByteWrittenAt)
        record.sample(Self.get, from: exchange.firstByteWrittenAt, to: exchange.lastByteReadAt)
        if exchange.response.status != 200 { record.fail("http_\(exchange.response.status)", "") }
      case .failure(let error) where error.kind == .cancelled: record.censor()
      case .failure(let error):
        if let writtenAt = error.firstByteWrittenAt { record.wrote(at: writtenAt) }
        record.fail(error.kind.rawValue, error.message)
      }
    }

    func retire(_ user: User) async { user.connection.withLock { $0 }?.close() }
  }

  static func number(_ request: ScriptedServer.Request) -> Int {
    Int(request.head.dropFirst(5).prefix { $0.isNumber }) ?? 0
  }

  enum Mode: CaseIterable {
    case closedLoop, openLoop, dropping, burst

    func plan(users: Int) -> LoadPlan {
      switch self {
      case .closedLoop: .closedLoop(users: users, count: 200)
      case .openLoop: .openLoop(OpenLoopTests.fast, users: users, count: 200)
      case .dropping: .openLoop(OpenLoopTests.fast, users: users, count: 200, dropsWhenBusy: true)
      case .burst: .burst(users: users * 50)
      }
    }
  }

  /// What the server does to the request of this number; a failure's kinds as the client may see them.
  private static func treatment(of number: Int) -> (actions: [ScriptedServer.Action], kinds: Set<String>) {
    switch number % 10 {
    case 1: ([ScriptedServer.answer("busy", status: 503)], ["http_503"])
    case 2 where number < 10: ([], ["timeout"])
    case 3: ([.close], ["closed"])
    case 4: ([.send("rubbish\r\n\r\n")], ["invalid_response"])
    case 5: ([.reset], ["reset", "closed"])
    default: ([ScriptedServer.answer("ok")], [])
    }
  }

  @Test(.wholeSuiteOnly, arguments: [1, 4], Mode.allCases) func booksAgreeUnderErrorsTimeoutsAndResets(
    _ users: Int, _ mode: Mode
  )
    async throws
  {
    let server = try await ScriptedServer { Self.treatment(of: Self.number($0)).actions }
    let run = await LoadRun.perform(
      GetScenario(port: server.port, timeout: .seconds(4)), plan: mode.plan(users: users),
      catalogue: GetScenario.catalogue, on: LoadRunTests.loops)
    let recording = run.recording
    // Every start that came is in the server's own log, once.
    let numbers = server.requests.map(Self.number)
    let due: UInt64 = mode == .burst ? UInt64(users * 50) : 200
    #expect(recording.iterations + recording.dropped == due && recording.censored == 0)
    #expect(mode == .dropping || recording.dropped == 0)
    #expect(Set(numbers).count == numbers.count && UInt64(numbers.count) == recording.iterations)
    let expected = numbers.map { Self.treatment(of: $0).kinds }
    for kinds in [["http_503"], ["timeout"], ["invalid_response"], ["reset", "closed"]] as [Set<String>] {
      let seen = kinds.reduce(0) { $0 + recording.errors.count(of: $1) }
      #expect(seen == UInt64(expected.count { !$0.isEmpty && $0.isSubset(of: kinds) }), "\(kinds)")
    }
    #expect(recording.errors.total == UInt64(expected.count { !$0.isEmpty }))
    #expect((recording[GetScenario.get.response]?.totalCount ?? 0) == recording.iterations - recording.errors.total)
    // Failures too were written, and tell how late they were, as do starts that the generator missed.
    #expect(recording.lateness.totalCount == recording.iterations + recording.missed)
    await server.stop()
  }

  @Test(arguments: [false, true]) func booksAgreeWhenTheRunIsCancelled(isOpen: Bool) async throws {
    let server = try await ScriptedServer { Self.number($0) > 40 ? [] : [ScriptedServer.answer("ok")] }
    let plan: LoadPlan =
      isOpen ? .openLoop(OpenLoopTests.fast, users: 3, count: 1000) : .closedLoop(users: 3, count: 1000)
    let task = Task {
      await LoadRun.perform(
        GetScenario(port: server.port, timeout: .seconds(50)), plan: plan, catalogue: GetScenario.catalogue,
        on: LoadRunTests.loops)
    }
    await server.waitForRequests(43)
    task.cancel()
    let recording = await task.value.recording
    #expect(recording.iterations == 40 && server.requests.count == 43)
    // Those under way, and in an open loop those that waited for them.
    #expect(isOpen ? recording.censored >= 3 : recording.censored == 3)
    #expect(recording[GetScenario.get.response]?.totalCount == 40)
    await server.stop()
  }
}
