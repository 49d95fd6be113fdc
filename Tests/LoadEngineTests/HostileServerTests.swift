import Foundation
import Glibc
import Latency
import NIOCore
import Synchronization
import TestSupport
import Testing

@testable import LoadEngine
@testable import Transport

/// The whole engine against a server that resets, stalls, closes, splits and babbles, with short time-outs and an
/// interruption at any moment: every start is in the books once, and nothing is left behind.
///
/// `INFRABENCH_HOSTILE_RUNS` says how many runs there are (200 in the whole suite, 1,000 by hand), and
/// `INFRABENCH_HOSTILE_SEED` which is the first one's seed.
@Suite(.timeLimit(.minutes(5))) struct HostileServerTests {
  private static let environment = ProcessInfo.processInfo.environment
  private static let runs =
    environment["INFRABENCH_HOSTILE_RUNS"].flatMap { UInt64($0) } ?? UInt64(WholeSuite.draws(200, fast: 40))
  private static let firstSeed = environment["INFRABENCH_HOSTILE_SEED"].flatMap { UInt64($0) } ?? 1

  /// What the server does to one request.
  ///
  /// - Parameter overlaps: whether it goes on with one request when the next one may have come: no client can tell what
  ///   it says and does then from the treatment of that one.
  private static func treatment(_ random: inout SeededRandom, overlaps: Bool) -> [ScriptedServer.Action] {
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n"
    let pause = ScriptedServer.Action.wait(.milliseconds(Int.random(in: 0...3, using: &random)))
    switch Int.random(in: 0..<24, using: &random) {
    case 0: return []  // stalls
    case 1: return [.close]
    case 2: return [.reset]
    case 3: return [pause, .close]
    case 4: return [pause, .reset]
    case 5: return [.send(head + "hal"), .close]
    case 6: return [.send(head + "hal"), pause, .reset]
    case 7: return [.send("HTTP/1.1 200 O")]
    case 8: return [.send("SSH-2.0-OpenSSH_9.2\r\n")]
    case 9: return [.send("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n")]
    case 10: return [.send(head + "answer")] + (overlaps ? [pause, .close] : [.close])
    case 11: return [.send(head + "answer"), .reset]
    case 12: return [.send(head + "answer" + head + "extra!")]
    case 13 where overlaps: return [.send(head + "answer"), pause, .send(head + "extra!")]
    case 14: return [.send("HTTP/1.1 100 Continue\r\n\r\n"), pause, .send(head), pause, .send("answer")]
    case 15:
      return [.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nans"), pause, .send("wer\r\n0\r\n\r\n")]
    case 16: return [.send("HTTP/1.0 200 OK\r\n\r\nans"), pause, .send("wer"), .close]
    case 17: return [ScriptedServer.answer("busy", status: 503)]
    case 18: return [pause, .send(head), .wait(.milliseconds(40)), .send("answer")]
    default: return [pause, ScriptedServer.answer("answer")]
    }
  }

  /// One GET an iteration over a connection a user, in the three ways in which the tools speak.
  private struct Load: Scenario {
    final class User: Sendable {
      let executor: LoopExecutor
      let connection = Mutex<HTTPConnection?>(nil)
      let books: Books

      init(_ executor: LoopExecutor, _ books: Books) {
        self.executor = executor
        self.books = books
        books.users.wrappingAdd(1, ordering: .relaxed)
      }

      deinit { books.users.wrappingSubtract(1, ordering: .relaxed) }
    }

    /// Of the scenario's own, beside the engine's.
    final class Books: Sendable {
      /// Users that are alive.
      let users = Atomic(0)
      /// Exchanges and connects that were begun, and those that came back.
      let begun = Atomic<UInt64>(0)
      let ended = Atomic<UInt64>(0)
      let performed = Atomic<UInt64>(0)
      let concluded = Atomic<UInt64>(0)
      let failedBefore = Atomic<UInt64>(0)
    }

    static let catalogue = Catalogue(metrics: ["get", "get_service"], counters: [])
    static let get = catalogue.operation("get")
    let port: Int
    let timeout: Nanoseconds
    let books = Books()

    func makeUser(_ number: Int, on executor: LoopExecutor) async -> User { User(executor, books) }

    func open(_ user: User, into record: inout IterationRecord) async { await connect(user, into: &record) }

    func prepare(_ user: User, _ iteration: Iteration, into record: inout IterationRecord) async {
      if user.connection.withLock({ $0?.isUsable ?? false }) { return }
      await connect(user, into: &record)
    }

    private func connect(_ user: User, into record: inout IterationRecord) async {
      books.begun.wrappingAdd(1, ordering: .relaxed)
      let connected = await HTTPConnection.connect(
        to: Endpoint(host: "127.0.0.1", port: port), tls: nil, on: user.executor, timeout: .seconds(20))
      books.ended.wrappingAdd(1, ordering: .relaxed)
      switch connected {
      case .success(let new): user.connection.withLock { $0 = new }
      case .failure(let error) where error.kind == .cancelled: record.censor()
      case .failure(let error): record.fail("connect: \(error.kind.rawValue)", error.message)
      }
    }

    func perform(_ user: User, _ iteration: Iteration, into record: inout IterationRecord) async {
      books.performed.wrappingAdd(1, ordering: .relaxed)
      guard let connection = user.connection.withLock({ $0 }) else { return record.fail("none", "") }
      books.begun.wrappingAdd(1, ordering: .relaxed)
      let result = await exchange("GET /\(iteration.number) HTTP/1.1\r\nHost: h\r\n\r\n", connection, user, iteration)
      books.ended.wrappingAdd(1, ordering: .relaxed)
      switch result {
      case .success(let answer):
        record.wrote(at: answer.stamps.firstByteWrittenAt)
        record.sample(Self.get, from: answer.stamps.firstByteWrittenAt, to: answer.stamps.lastByteReadAt)
        if answer.status != 200 { record.fail("http_\(answer.status)", "") }
        if answer.status == 200, answer.body != "answer" { record.fail("wrong", answer.body) }
      case .failure(let error) where error.kind == .cancelled: record.censor()
      case .failure(let error):
        if let writtenAt = error.firstByteWrittenAt { record.wrote(at: writtenAt) }
        record.fail(error.kind.rawValue, error.message)
      }
    }

    private typealias Answer = (status: Int, body: String, stamps: ExchangeStamps)

    private func exchange(
      _ text: String, _ connection: HTTPConnection, _ user: User, _ iteration: Iteration
    ) async -> Result<Answer, TransportError> {
      func whole(_ exchange: HTTPExchange) -> Answer {
        (exchange.response.status, String(buffer: exchange.response.body), exchange.stamps)
      }
      switch iteration.number % 3 {
      case 0: return await connection.exchange(ByteBuffer(string: text), timeout: timeout).map(whole)
      case 1: return await connection.exchangeUnwatched(ByteBuffer(string: text), timeout: timeout).map(whole)
      default:
        guard let loop = user.executor as? EpollLoop else { return .failure(TransportError(.closed, "no such loop")) }
        loop.requestBuffer.copyBytes(from: text.utf8)
        let request = UnsafeRawBufferPointer(rebasing: loop.requestBuffer[..<text.utf8.count])
        switch await connection.exchangeInPlace(request, timeout: timeout) {
        case .inPlace(let answer)?:
          return .success((answer.status, String(decoding: answer.body, as: UTF8.self), answer.stamps))
        case .exchange(let exchange)?: return .success(whole(exchange))
        case .failure(let error)?: return .failure(error)
        case nil: return .failure(TransportError(.closed, "nothing was sent"))
        }
      }
    }

    func failed(_ iteration: Iteration, _ record: IterationRecord) {
      books.failedBefore.wrappingAdd(1, ordering: .relaxed)
    }

    func conclude(_ user: User, _ iteration: Iteration) async { books.concluded.wrappingAdd(1, ordering: .relaxed) }

    func cancel(_ user: User) {
      user.executor.execute { user.connection.withLock { $0 }?.cancelExchange(after: .zero) }
    }

    func retire(_ user: User) async { user.connection.withLock { $0.take() }?.close() }
  }

  private enum Mode: CaseIterable {
    case closedLoop, openLoop, dropping, precise, burst

    func plan(users: Int, count: Int) -> LoadPlan {
      var plan: LoadPlan =
        switch self {
        case .closedLoop: .closedLoop(users: users, count: count)
        case .openLoop: .openLoop(OpenLoopTests.fast, users: users, count: count)
        case .dropping: .openLoop(OpenLoopTests.fast, users: users, count: count, dropsWhenBusy: true)
        case .precise: .openLoop(OpenLoopTests.fast, users: users, count: count, isPrecise: true)
        case .burst: .burst(users: count)
        }
      plan.drainBound = .seconds(20)
      return plan
    }
  }

  @Test func everyStartIsInTheBooksOnceAndNothingIsLeft() async throws {
    let draws = Draws(first: Self.firstSeed)
    try await withThrowingTaskGroup(of: Void.self) { group in
      // Most of a run is waiting.
      for worker in 0..<4 {
        group.addTask {
          try await LoopGroup.lend(threads: 1 + worker % 2) { loops in
            while case let seed = draws.next(), seed < Self.firstSeed + Self.runs {
              draws.add(try await Self.run(seed, on: loops))
            }
          }
        }
      }
      try await group.waitForAll()
    }
    // The server was hostile, and to some friendly.
    let seen = draws.seen
    let expected = ["timeout", "reset", "closed", "invalid_response", "http_503", "success", "censored", "dropped"]
    for kind in expected { #expect(seen[kind] ?? 0 > 0, "\(seen)") }
    #expect(Set(seen.keys).subtracting(expected + ["closed_idle", "connect: reset", "wrong"]).isEmpty, "\(seen)")
  }

  /// Which runs are left, and what came of those before.
  private final class Draws: Sendable {
    private let seed: Atomic<UInt64>
    private let kinds = Mutex<[String: UInt64]>([:])

    init(first: UInt64) { seed = Atomic(first) }

    func next() -> UInt64 { seed.wrappingAdd(1, ordering: .relaxed).oldValue }

    func add(_ seen: [String: UInt64]) { kinds.withLock { $0.merge(seen) { $0 + $1 } } }

    var seen: [String: UInt64] { kinds.withLock { $0 } }
  }

  private static func run(_ seed: UInt64, on loops: LoopGroup) async throws -> [String: UInt64] {
    var random = SeededRandom(seed: seed)
    let server = try await ScriptedServer { request in
      let number = UInt64(request.head.dropFirst("GET /".count).prefix { $0.isNumber }) ?? 0
      var random = SeededRandom(seed: seed &* 1_000_003 &+ number)
      return Self.treatment(&random, overlaps: seed % 2 == 0)
    }
    let mode = Mode.allCases[Int.random(in: Mode.allCases.indices, using: &random)]
    let (users, count) = (Int.random(in: 1...8, using: &random), Int.random(in: 20...60, using: &random))
    let scenario = Load(port: server.port, timeout: .milliseconds(UInt64.random(in: 8...25, using: &random)))
    let progress = ProgressCounter()
    let task = Task {
      await LoadRun.perform(
        scenario, plan: mode.plan(users: users, count: count), catalogue: Load.catalogue, on: loops,
        progress: progress)
    }
    let isInterrupted = Bool.random(using: &random)
    if isInterrupted {
      try await Task.sleep(for: .microseconds(Int.random(in: 0...60_000, using: &random)))
      task.cancel()
    }
    let recording = await task.value.recording
    let said = "\(recording.iterations) iterations, \(recording.censored) censored, \(recording.dropped) dropped"
    let place: Comment =
      "INFRABENCH_HOSTILE_SEED=\(seed) INFRABENCH_HOSTILE_RUNS=1: \(mode), \(users) users, \(count) starts: \(said)"
    let books = scenario.books

    // Started = finished + censored + dropped.
    let sum = recording.iterations + recording.censored + recording.dropped
    if isInterrupted { #expect(sum <= count, place) } else { #expect(sum == count, place) }
    if !isInterrupted { #expect(recording.censored == 0, place) }
    #expect(progress.inFlight == 0 && progress.done == recording.iterations, place)
    #expect(progress.failed == recording.errors.total, place)
    #expect(progress.started <= recording.iterations + recording.censored, place)
    let performed = books.performed.load(ordering: .relaxed)
    #expect(performed == books.concluded.load(ordering: .relaxed), place)
    #expect(performed + books.failedBefore.load(ordering: .relaxed) == progress.started, place)
    let successes = recording.iterations - recording.errors.total
    #expect(recording[Load.get.response]?.totalCount ?? 0 == successes, place)
    // No request was sent twice.
    let numbers = server.requests.map(\.line)
    #expect(Set(numbers).count == numbers.count && numbers.count <= performed, place)

    // Every wait was ended once, and nothing is left.
    #expect(books.begun.load(ordering: .relaxed) == books.ended.load(ordering: .relaxed), place)
    for loop in loops.executors {
      let epoll = try #require(loop as? EpollLoop)
      for _ in 0..<5_000 where epoll.watchedSockets > 0 { try await Task.sleep(for: .milliseconds(1)) }
      #expect(epoll.watchedSockets == 0, place)
      #expect(await loop.submit { loop.betweenBatches == nil }, place)
    }
    // What a loop was given last is done by now.
    #expect(books.users.load(ordering: .relaxed) == 0, place)
    if seed % 2 == 1 { #expect(recording.errors.count(of: "wrong") == 0, "\(place): \(recording.errors)") }
    await server.stop()

    var seen = Dictionary(uniqueKeysWithValues: recording.errors.entries.map { ($0.kind, $0.count) })
    for (kind, count) in [("success", successes), ("censored", recording.censored), ("dropped", recording.dropped)]
    where count > 0 { seen[kind] = count }
    return seen
  }
}

extension EpollLoop {
  /// How many open sockets the kernel watches for this loop: all lines of `tfd:` but that of its wake-up.
  fileprivate var watchedSockets: Int {
    let text = (try? String(contentsOfFile: "/proc/self/fdinfo/\(epoll)", encoding: .utf8)) ?? ""
    return text.split(separator: "\n").count { $0.hasPrefix("tfd:") } - 1
  }
}
