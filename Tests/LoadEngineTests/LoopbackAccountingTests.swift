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
    let timeout: UInt64

    func makeUser(_ number: Int, on executor: LoopExecutor) async -> User { User(executor) }

    func open(_ user: User) async {
      var record = IterationRecord()
      await prepare(user, Iteration(number: 0, isWarmup: true), into: &record)
    }

    func prepare(_ user: User, _ iteration: Iteration, into record: inout IterationRecord) async {
      if user.connection.withLock({ $0?.isUsable ?? false }) { return }
      defer { record.occupied(until: MonotonicClock.now()) }
      switch await HTTPConnection.connect(
        to: Endpoint(host: "127.0.0.1", port: port), tls: nil, on: user.executor, timeout: 20_000_000_000)
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
      case .failure(let error): record.fail(error.kind.rawValue, error.message)
      }
    }

    func retire(_ user: User) async { user.connection.withLock { $0 }?.close() }
  }

  static func number(_ request: ScriptedServer.Request) -> Int {
    Int(request.head.dropFirst(5).prefix { $0.isNumber }) ?? 0
  }

  @Test(arguments: [1, 4], [false, true]) func booksAgreeUnderErrorsTimeoutsAndResets(_ users: Int, isOpen: Bool)
    async throws
  {
    let server = try await ScriptedServer { request in
      switch Self.number(request) % 10 {
      case 1: [ScriptedServer.answer("busy", status: 503)]
      case 2: Self.number(request) < 10 ? [] : [ScriptedServer.answer("ok")]
      case 3: [.close]
      case 4: [.send("rubbish\r\n\r\n")]
      default: [ScriptedServer.answer("ok")]
      }
    }
    let plan: LoadPlan =
      isOpen ? .openLoop(OpenLoopTests.fast, users: users, count: 200) : .closedLoop(users: users, count: 200)
    let run = await LoadRun.perform(
      GetScenario(port: server.port, timeout: 4_000_000_000), plan: plan,
      catalogue: GetScenario.catalogue, on: LoadRunTests.loops)
    let recording = run.recording
    #expect(recording.iterations == 200 && recording.censored == 0)
    #expect(server.requests.count == 200)
    #expect(recording.errors.count(of: "http_503") == 20)
    #expect(recording.errors.count(of: "timeout") == 1)
    #expect(recording.errors.count(of: "closed") == 20)
    #expect(recording.errors.count(of: "invalid_response") == 20)
    #expect(recording.errors.total == 61)
    #expect(recording[GetScenario.get.response]?.totalCount == 200 - 61)
    await server.stop()
  }

  @Test func booksAgreeWhenTheRunIsCancelled() async throws {
    let server = try await ScriptedServer { Self.number($0) > 40 ? [] : [ScriptedServer.answer("ok")] }
    let task = Task {
      await LoadRun.perform(
        GetScenario(port: server.port, timeout: 50_000_000_000), plan: .closedLoop(users: 3, count: 1000),
        catalogue: GetScenario.catalogue, on: LoadRunTests.loops)
    }
    await server.waitForRequests(43)
    task.cancel()
    let recording = await task.value.recording
    #expect(recording.iterations == 40 && recording.censored == 3)
    #expect(Int(recording.iterations + recording.censored) == server.requests.count)
    #expect(recording[GetScenario.get.response]?.totalCount == 40)
    await server.stop()
  }
}
