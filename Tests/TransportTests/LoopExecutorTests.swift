import Latency
import NIOCore
import Testing
import Transport

@Suite(.timeLimit(.minutes(1))) struct LoopExecutorTests {
  static let loops = LoopGroup(threads: 2)

  @Test func tasksRunOnTheirLoopsThreadAfterEverySuspension() async {
    await withTaskGroup(of: Bool.self) { group in
      for executor in Self.loops.executors {
        for _ in 0..<20 {
          group.addTask(executorPreference: executor) {
            var isOnLoop = executor.isCurrent
            for _ in 0..<50 {
              await Task.yield()
              isOnLoop = isOnLoop && executor.isCurrent
              await Task.detached {}.value
              isOnLoop = isOnLoop && executor.isCurrent
              try? await executor.eventLoop.makeSucceededVoidFuture().get()
              isOnLoop = isOnLoop && executor.isCurrent
            }
            return isOnLoop
          }
        }
      }
      for await isOnLoop in group { #expect(isOnLoop) }
    }
  }

  /// The queue of ready tasks grows in the middle of a round.
  @Test func tasksThatMakeManyOthersReadyRunOnceEach() async {
    let executor = LoopGroup(threads: 1).executor(forUser: 0)
    let ran = await withTaskGroup(of: Int.self) { group in
      for _ in 0..<50 {
        group.addTask(executorPreference: executor) {
          for _ in 0..<100 { await Task.yield() }
          return await withTaskGroup(of: Int.self) { children in
            for _ in 0..<100 { children.addTask(executorPreference: executor) { 1 } }
            return await children.reduce(0, +)
          }
        }
      }
      return await group.reduce(0, +)
    }
    #expect(ran == 5000)
  }

  @Test func usersAreSpreadOverTheLoops() {
    #expect(Self.loops.executors.count == 2)
    #expect(Self.loops.executor(forUser: 0) === Self.loops.executor(forUser: 2))
    #expect(Self.loops.executor(forUser: 0) !== Self.loops.executor(forUser: 1))
  }

  @Test func noWakeUpIsLostUnderManySuspensionsFromAllThreads() async {
    let steps = await withTaskGroup(of: Int.self) { group in
      for number in 0..<40 {
        group.addTask(executorPreference: Self.loops.executor(forUser: number)) {
          var steps = 0
          for step in 0..<500 {
            switch step % 3 {
            case 0: await Task.yield()
            case 1:
              // Resumed by a thread of the global pool.
              await withCheckedContinuation { continuation in Task.detached { continuation.resume() } }
            default:
              // Resumed by the other loop.
              let other = Self.loops.executor(forUser: number + 1)
              await withCheckedContinuation { continuation in other.execute { continuation.resume() } }
            }
            steps += 1
          }
          return steps
        }
      }
      return await group.reduce(0, +)
    }
    #expect(steps == 40 * 500)
  }

  @Test func aTaskThatNeverStopsSuspendingLeavesTheLoopItsTurns() async throws {
    let executor = Self.loops.executor(forUser: 0)
    await withTaskGroup(of: Void.self) { group in
      group.addTask(executorPreference: executor) { while !Task.isCancelled { await Task.yield() } }
      await executor.sleep(for: .milliseconds(1))
      group.cancelAll()
    }
  }
}
