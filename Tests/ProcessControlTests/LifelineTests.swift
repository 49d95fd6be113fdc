import Glibc
import ProcessControl
import Synchronization
import Testing

@Suite struct LifelineTests {
  @Test func endOfFileIsNoticedOnceAndDataIsNot() async throws {
    // `cat` holds the writing end of the pipe that is watched.
    let holder = try await ProcessKeeper.shared.spawn(
      ProcessRequest(executable: "/bin/cat", standardInput: .pipe, standardOutput: .pipe))
    let watched = try #require(holder.standardOutput)
    let calls = Mutex(0)
    let gone = AsyncStream<Void> { continuation in
      Lifeline.watch(watched.descriptor) { continuation.finish() }
    }
    #expect(write(try #require(holder.standardInput).descriptor, "data", 4) == 4)
    #expect(holder.exitStatus == nil)
    holder.standardInput?.close()
    for await _ in gone { calls.withLock { $0 += 1 } }
    #expect(calls.withLock { $0 } == 0)
    #expect(await holder.waitForExit() == .exited(0))
    withExtendedLifetime(watched) {}
  }

  @Test func killedParentEndsAChildThatWatches() async throws {
    let result = await #expect(
      processExitsWith: .signal(SIGKILL), observing: [\.standardOutputContent]
    ) {
      // `read` is a shell's lifeline: it fails at the end of file.
      let child = try await ProcessKeeper.shared.spawn(
        ProcessRequest(
          executable: "/bin/sh", arguments: ["-c", "read line"], standardInput: .pipe, standardOutput: .null,
          standardError: .null))
      // A sibling that lives on must not hold the line.
      let sibling = try await ProcessKeeper.shared.spawn(
        ProcessRequest(executable: "/bin/sleep", arguments: ["600"], standardOutput: .null, standardError: .null))
      say("\nchild=\(child.pid)\nsibling=\(sibling.pid)\n")
      kill(getpid(), SIGKILL)
    }
    let child = try #require(number("child", in: result?.standardOutputContent))
    let sibling = try #require(number("sibling", in: result?.standardOutputContent))
    #expect(await isGone(child))
    #expect(kill(sibling, SIGKILL) == 0)
  }
}
