import Latency
import NIOCore
import Synchronization
import TestSupport
import Testing
import Transport

@testable import LoadEngine

/// The shards of one plan, each with an engine of its own, against a server that records what it is asked.
@Suite(.timeLimit(.minutes(2))) struct ShardRunTests {
  /// Says in each request when its start was due, which iteration it is and which user sends it.
  struct SayingScenario: Scenario {
    static let catalogue = Catalogue(metrics: ["get", "get_service"], counters: [])
    static let get = catalogue.operation("get")
    let port: Int
    let begin: Instant

    struct User: Sendable {
      var number: Int
      var connection: Result<HTTPConnection, TransportError>
    }

    func makeUser(_ number: Int, on executor: LoopExecutor) async -> User {
      let connection = await HTTPConnection.connect(
        to: Endpoint(host: "127.0.0.1", port: port), tls: nil, on: executor, timeout: .seconds(20))
      return User(number: number, connection: connection)
    }

    func perform(_ user: User, _ iteration: Iteration, into record: inout IterationRecord) async {
      let due = record.intendedAt.map { ($0 - begin).nanoseconds } ?? 0
      let path = "\(iteration.isWarmup ? "w" : "m")/\(due)/\(iteration.number)/\(user.number)"
      do throws(TransportError) {
        let request = ByteBuffer(string: "GET /\(path) HTTP/1.1\r\nHost: h\r\n\r\n")
        let exchange = try await user.connection.get().exchange(request, timeout: .seconds(20)).get()
        record.wrote(at: exchange.firstByteWrittenAt)
        record.sample(Self.get, from: exchange.firstByteWrittenAt, to: exchange.lastByteReadAt)
      } catch {
        record.fail(error.kind.rawValue, error.message)
      }
    }

    func retire(_ user: User) async { try? user.connection.get().close() }
  }

  /// What the server was asked, in the order of the starts.
  struct Asked: Equatable {
    var starts: [String] = []
    var recording = Recording(SayingScenario.catalogue)

    static func == (one: Asked, other: Asked) -> Bool { one.starts == other.starts }
  }

  /// Runs all shards at the same time with one begin; a shard's users are on one loop, which serves them in order.
  ///
  /// - Parameter delay: of each answer. Which free user takes a start depends on how fast answers come, so the tests
  ///   that compare users let none come while starts are due.
  static func run(_ plan: LoadPlan, shards: Int, delay: Duration = .zero) async throws -> Asked {
    let server = try await ScriptedServer { _ in [.wait(delay), ScriptedServer.answer("")] }
    let begin = MonotonicClock.now() + .milliseconds(700)
    let recordings = await withTaskGroup(of: Recording.self) { group in
      for index in 0..<shards {
        guard let shard = Shard(index: index, of: shards) else { continue }
        var plan = plan
        plan.shard = shard
        group.addTask { [plan] in
          await LoadRun.perform(
            SayingScenario(port: server.port, begin: begin), plan: plan, catalogue: SayingScenario.catalogue,
            on: LoopGroup(threads: 1), sharedBegin: { begin }
          ).recording
        }
      }
      return await group.reduce(into: []) { $0.append($1) }
    }
    await server.stop()
    var asked = Asked()
    for recording in recordings { asked.recording.merge(recording) }
    let paths = server.requests.map { $0.head.dropFirst(5).prefix { $0 != " " } }
    asked.starts = paths.map(String.init).sorted()
    return asked
  }

  private static let rate = ArrivalRate(starts: 400, period: .seconds(1))
  private static let none = ArrivalRate(starts: 0, period: .seconds(1))

  enum Load: String, CaseIterable {
    case constant, poisson, stages, bounded, burst, closedLoop

    /// Each start has a user of its own, so that who takes it does not depend on how fast the answers come.
    var plan: LoadPlan {
      switch self {
      case .constant:
        .openLoop(ArrivalSchedule(rate: rate, arrival: .constant), users: 60, count: 60)
      case .poisson:
        .openLoop(
          ArrivalSchedule(rate: rate, arrival: .poisson(seed: 42)), users: 60, count: 50, warmup: .iterations(10))
      case .stages:
        .openLoop(
          ArrivalSchedule(
            stages: [
              RateStage(duration: .milliseconds(100), target: rate),
              RateStage(duration: .milliseconds(60), target: none),
            ], from: none, arrival: .poisson(seed: 7)), users: 80, count: nil)
      case .bounded:
        .openLoop(
          ArrivalSchedule(rate: rate, arrival: .constant), users: 80, count: nil, duration: .milliseconds(123),
          warmup: .duration(.milliseconds(31)))
      case .burst: .burst(users: 23)
      case .closedLoop: .closedLoop(users: 22, count: 15, warmup: .iterations(7))
      }
    }
  }

  @Test(arguments: Load.allCases)
  func `the shards together ask exactly what one generator asks, start by start and user by user`(
    _ load: Load
  ) async throws {
    let delay = Duration.milliseconds(1500)
    let single = try await Self.run(load.plan, shards: 1, delay: delay)
    #expect(!single.starts.isEmpty)
    // The latencies differ from run to run, their number does not.
    let samples = single.recording[SayingScenario.get.response]?.totalCount
    for shards in [2, 7] {
      let union = try await Self.run(load.plan, shards: shards, delay: delay)
      let isEqual = union.starts == single.starts
      #expect(isEqual, "\(load.rawValue), \(shards) shards: \(union.starts) is not \(single.starts)")
      #expect(union.recording[SayingScenario.get.response]?.totalCount == samples)
      #expect(union.recording.errors.total == 0)
    }
  }

  @Test(arguments: [1, 2, 7])
  func `the users of a closed loop divide the whole count, and each iteration is made once`(_ shards: Int) async throws
  {
    let asked = try await Self.run(.closedLoop(users: 9, count: 200, warmup: .iterations(20)), shards: shards)
    func field(_ place: Int, _ isMeasured: Bool) -> [Int] {
      asked.starts.filter { $0.hasPrefix("m") == isMeasured }.compactMap { Int($0.split(separator: "/")[place]) }
    }
    #expect(field(2, true).sorted() == Array(1...200))
    #expect(field(2, false).sorted() == Array(1...20))
    #expect(Set(field(3, true)) == Set(1...9))
  }

  @Test func `the users of a ramp come and go by their numbers in the whole`() async throws {
    let ramp = UserRamp(stages: [UserStage(duration: .milliseconds(200), target: 14)], from: 0)
    let plan = LoadPlan.closedLoop(users: ramp.maximum, count: nil, thinkTime: .milliseconds(5), ramp: ramp)
    let asked = try await Self.run(plan, shards: 7)
    #expect(Set(asked.starts.compactMap { Int($0.split(separator: "/")[3]) }) == Set(1...ramp.maximum))
  }

  @Test(arguments: Load.allCases)
  func `a run whose shared begin never comes makes no start, and ends`(_ load: Load) async throws {
    let server = try await ScriptedServer { _ in [ScriptedServer.answer("")] }
    let run = await LoadRun.perform(
      SayingScenario(port: server.port, begin: MonotonicClock.now()), plan: load.plan,
      catalogue: SayingScenario.catalogue, on: LoopGroup(threads: 2), sharedBegin: { nil })
    #expect(server.requests.isEmpty)
    #expect(run.recording.iterations == 0)
    #expect(run.recording.firstStart == nil)
    await server.stop()
  }

  @Test(arguments: Load.allCases)
  func `nothing is started before the shared begin`(_ load: Load) async throws {
    let server = try await ScriptedServer { _ in [ScriptedServer.answer("")] }
    let begin = MonotonicClock.now() + .milliseconds(400)
    let run = await LoadRun.perform(
      SayingScenario(port: server.port, begin: begin), plan: load.plan, catalogue: SayingScenario.catalogue,
      on: LoopGroup(threads: 2), sharedBegin: { begin })
    let first = try #require(run.recording.firstStart)
    #expect(first.writtenAt >= begin)
    #expect(first.writtenAt >= first.intendedAt ?? begin)
    #expect(try #require(run.recording.lastEndAt) > first.writtenAt)
    await server.stop()
  }
}

@Suite struct ShardTests {
  @Test(arguments: 1...12) func `every place belongs to one shard, whose own things are numbered as in the whole`(
    _ count: Int
  ) throws {
    for things in [0, 1, 6, 7, 13, 30] {
      var numbers: [Int] = []
      for index in 0..<count {
        let shard = try #require(Shard(index: index, of: count))
        let own = (0..<things).filter(shard.owns)
        #expect((0..<shard.share(of: things)).map(shard.number) == own.map { $0 + 1 })
        numbers += own
        let after = (things..<(things + 25)).filter(shard.owns).map { $0 - things }
        #expect((0..<25).filter(shard.after(things).owns) == after)
      }
      #expect(numbers.sorted() == Array(0..<things))
    }
  }

  @Test(arguments: [(-1, 2), (2, 2), (0, 0), (0, Shard.most + 1)])
  func `a shard that the whole does not have is none`(_ index: Int, _ count: Int) {
    #expect(Shard(index: index, of: count) == nil)
  }
}
