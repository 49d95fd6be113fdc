import Glibc
import Latency
import Synchronization
import Testing

@testable import UserWorkspace

@Suite struct WriterThreadsTests {
  @Test func everyWriterMakesItsOwnUsersAtTheSameTime() async throws {
    let scratch = try Scratch()
    let tree = try CreatedDirectories(root: scratch.path)
    let results = try await runWriters(count: 4) { seat -> Result<[CreateTimes], any Error> in
      Result {
        let writer = try DirectoryWriter(tree: tree, token: [7])
        seat.waitForStart()
        return try (0..<25).map { try writer.create(UserDirectoryName("user-\(seat.index)-\($0)")) }
      }
    }
    let times = try results.flatMap { try $0.get() }
    #expect(times.count == 100)
    #expect(names(in: scratch.path).count == 100)
    #expect(tree.removeAll() == .init(removed: 100, leftovers: []))
    #expect(names(in: scratch.path) == [])
  }

  @Test func onlyOneOfManyWritersMakesTheSameUser() async throws {
    let scratch = try Scratch()
    let tree = try CreatedDirectories(root: scratch.path)
    let codes = try await runWriters(count: 4) { seat -> WorkspaceError.Kind? in
      seat.waitForStart()
      return code { try DirectoryWriter(tree: tree, token: [7]).create(UserDirectoryName("one")) }
    }
    #expect(codes.filter { $0 == nil }.count == 1)
    #expect(codes.filter { $0 == .alreadyExists }.count == 3)
  }

  @Test func manyTasksPreparingOneUserAllSucceedAndLeaveOneWholeToken() async throws {
    let scratch = try Scratch()
    let path = scratch.path
    let made = try await runWriters(count: 4) { seat -> [Result<Bool, any Error>] in
      let token = [UInt8](repeating: UInt8(ascii: "a") + UInt8(seat.index), count: 5000)
      seat.waitForStart()
      return (0..<20).map { _ in
        Result { try WorkspacePreparation.prepare(directory: "\(path)/env/user", inside: path, token: token) }
      }
    }
    #expect(try made.joined().map { try $0.get() }.filter { $0 }.count == 1)
    let token = try readWholeFile(scratch("env/user/.optima/token.json"))
    #expect(token.utf8.count == 5000 && Set(token).count == 1)
    #expect(names(in: scratch("env/user/.optima")) == ["token.json"])
  }

  @Test func noWriterStartsBeforeTheLastIsReady() async throws {
    let ready = Atomic(0)
    let seen = try await runWriters(count: 5) { seat in
      ready.add(1, ordering: .sequentiallyConsistent)
      seat.waitForStart()
      return ready.load(ordering: .sequentiallyConsistent)
    }
    #expect(seen == [5, 5, 5, 5, 5])
  }

  @Test func aWriterThatGivesUpDoesNotHoldTheOthers() async throws {
    let indices = try await runWriters(count: 3) { seat in
      if seat.index != 1 { seat.waitForStart() }
      return seat.index
    }
    #expect(indices == [0, 1, 2])
  }

  @Test func cancellationStopsTheWritersAndKeepsWhatTheyHave() async throws {
    let started = AsyncStream.makeStream(of: Void.self)
    let run = Task {
      try await runWriters(count: 3) { seat in
        seat.waitForStart()
        started.continuation.yield()
        // Bounded, so that a lost stop is a failure and not a hang.
        let end = MonotonicClock.now() + .seconds(30)
        while !seat.shouldStop, MonotonicClock.now() < end {}
        return seat.shouldStop
      }
    }
    for await _ in started.stream { break }
    run.cancel()
    #expect(try await run.value == [true, true, true])
  }

  @Test func writersRunOnThreadsOfTheirOwn() async throws {
    let threads = try await runWriters(count: 3) { seat in
      seat.waitForStart()
      return pthread_self()
    }
    #expect(Set(threads).count == 3)
  }
}
