import Glibc
import ProcessControl
import Testing

@Suite struct SignalTests {
  @Test func signalEndsTheChildAndIsReported() async throws {
    let child = try await ProcessKeeper.shared.spawn(shell("exec sleep 600"))
    #expect(child.signal(SIGTERM))
    #expect(await child.waitForExit() == .signaled(SIGTERM))
  }

  @Test func signalAfterTheEndReachesNobody() async throws {
    let child = try await ProcessKeeper.shared.spawn(shell("exit 0"))
    _ = await child.waitForExit()
    #expect(!child.signal(SIGKILL))
    #expect(!child.signalGroup(SIGKILL))
  }

  @Test func groupSignalReachesGrandchildren() async throws {
    let child = try await ProcessKeeper.shared.spawn(shell("sleep 600 & echo $!; wait", output: .pipe))
    let grandchild = try #require(Int32(try line(of: child.standardOutput)))
    #expect(child.signalGroup(SIGKILL))
    #expect(await child.waitForExit() == .signaled(SIGKILL))
    #expect(await isGone(grandchild))
  }

  @Test func groupEndsWithItsLeaderWhenAskedTo() async throws {
    var request = shell("sleep 600 & echo $!", output: .pipe)
    request.endsGroupWithLeader = true
    let child = try await ProcessKeeper.shared.spawn(request)
    let grandchild = try #require(Int32(try line(of: child.standardOutput)))
    #expect(await child.waitForExit() == .exited(0))
    #expect(await isGone(grandchild))
  }

  @Test func killedParentTakesItsChildAlong() async throws {
    let result = await #expect(
      processExitsWith: .signal(SIGKILL), observing: [\.standardOutputContent]
    ) {
      var request = ProcessRequest(executable: "/bin/sleep", arguments: ["600"])
      request.diesWithParent = true
      let child = try await ProcessKeeper.shared.spawn(request)
      say("\nchild=\(child.pid)\n")
      // Not before a pool thread or two have come and gone.
      try await Task.sleep(for: .milliseconds(50))
      guard child.exitStatus == nil else { exit(1) }
      kill(getpid(), SIGKILL)
    }
    let pid = try #require(number("child", in: result?.standardOutputContent))
    #expect(await isGone(pid))
  }

  @Test func childWithoutTheWishOutlivesItsKilledParent() async throws {
    let result = await #expect(
      processExitsWith: .signal(SIGKILL), observing: [\.standardOutputContent]
    ) {
      let child = try await ProcessKeeper.shared.spawn(
        ProcessRequest(executable: "/bin/sleep", arguments: ["600"], standardOutput: .null, standardError: .null))
      say("\nchild=\(child.pid)\n")
      kill(getpid(), SIGKILL)
    }
    let pid = try #require(number("child", in: result?.standardOutputContent))
    #expect(kill(pid, SIGKILL) == 0)
  }
}
