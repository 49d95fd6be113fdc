import Foundation
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

  /// A process id of a child of this process, by its name.
  private static func child(named name: String) -> Int32? {
    for entry in (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? [] {
      guard let pid = Int32(entry), let stat = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8) else {
        continue
      }
      if stat.contains("(\(name)) "), stat.split(separator: ")").last?.split(separator: " ")[1] == "\(getpid())" {
        return pid
      }
    }
    return nil
  }

  /// Its process id, once it has its name, which a new process gives itself; 0 if that doesn't come.
  private static func startedChild(named name: String) async -> Int {
    for _ in 0..<1000 {
      if let pid = child(named: name) { return Int(pid) }
      try? await Task.sleep(for: .milliseconds(5))
    }
    return 0
  }

  private static func spawnWithBackground() async throws -> (child: ChildProcess, grandchild: String) {
    // Deaf to what a terminal or an orderly end would send.
    var request = shell("trap '' HUP TERM INT; sleep 600 >/dev/null 2>&1 & echo $!; wait", output: .pipe)
    request.diesWithParent = true
    request.endsGroupWithLeader = true
    let child = try await ProcessKeeper.shared.spawn(request)
    return (child, try line(of: child.standardOutput))
  }

  @Test func killedParentTakesTheWholeGroupAlong() async throws {
    let result = await #expect(
      processExitsWith: .signal(SIGKILL), observing: [\.standardOutputContent]
    ) {
      let first = try await Self.spawnWithBackground()
      let second = try await Self.spawnWithBackground()
      say(
        "\nfirst=\(first.grandchild)\nsecond=\(second.grandchild)\nguard=\(await Self.startedChild(named: "group-guard"))\n"
      )
      kill(getpid(), SIGKILL)
    }
    for name in ["first", "second", "guard"] {
      let pid = try #require(number(name, in: result?.standardOutputContent))
      #expect(pid > 1)
      #expect(await isGone(pid), "\(name)")
    }
  }

  @Test func guardLeavesWithItsProcess() async throws {
    let result = await #expect(processExitsWith: .success, observing: [\.standardOutputContent]) {
      let (child, _) = try await Self.spawnWithBackground()
      say("\nguard=\(await Self.startedChild(named: "group-guard"))\n")
      child.signalGroup(SIGKILL)
      _ = await child.waitForExit()
    }
    let pid = try #require(number("guard", in: result?.standardOutputContent))
    #expect(pid > 1)
    #expect(await isGone(pid))
  }

  @Test func raisedLimitOfOpenFilesIsNotHandedDown() async throws {
    let result = await #expect(processExitsWith: .success, observing: [\.standardOutputContent]) {
      let hard = try line(of: try await ProcessKeeper.shared.spawn(shell("ulimit -Hn", output: .pipe)).standardOutput)
      guard let hard = UInt(hard), hard > 100 else { exit(0) }
      var limit = rlimit(rlim_cur: 100, rlim_max: hard)
      setrlimit(__rlimit_resource_t(UInt32(RLIMIT_NOFILE.rawValue)), &limit)
      guard FileDescriptorLimit.raise() == min(hard, 1 << 20), FileDescriptorLimit.raise() > 100 else { exit(1) }
      let soft = try line(of: try await ProcessKeeper.shared.spawn(shell("ulimit -Sn", output: .pipe)).standardOutput)
      guard soft == "100" else { exit(2) }
    }
    #expect(result != nil)
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
