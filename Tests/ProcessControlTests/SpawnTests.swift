import Foundation
import Glibc
import Latency
import ProcessControl
import Testing

@Suite struct SpawnTests {
  @Test(arguments: [0, 1, 7, 255] as [Int32])
  func exitCodeIsReported(code: Int32) async throws {
    let child = try await ProcessKeeper.shared.spawn(shell("exit \(code)"))
    #expect(await child.waitForExit() == .exited(code))
  }

  /// Also the saved ids and the supplementary groups: a program that could go back would be no other user.
  @Test(.enabled(if: geteuid() == 0, "only root can start a child under another user"))
  func aChildOfAnotherUserHasNothingOfRoots() async throws {
    var request = shell("grep -E '^(Uid|Gid|Groups):' /proc/self/status; read line", input: .pipe, output: .pipe)
    request.user = 12_345
    request.diesWithParent = true
    let child = try await ProcessKeeper.shared.spawn(request)
    child.standardInput?.close()
    let lines = try text(of: child.standardOutput).split(separator: "\n").map {
      $0.split(whereSeparator: \.isWhitespace)
    }
    #expect(
      lines == [
        ["Uid:"] + Array(repeating: "12345", count: 4), ["Gid:"] + Array(repeating: "12345", count: 4), ["Groups:"],
      ])
    #expect(await child.waitForExit() == .exited(1))
    // No way back: no capability, no set-user-ID program, no terminal of this session to type into.
    var status = shell(
      "grep -E '^(Cap|NoNewPrivs)' /proc/self/status; cut -d' ' -f5,6,7 /proc/$$/stat; echo $$", output: .pipe)
    status.user = 12_345
    let other = try await ProcessKeeper.shared.spawn(status)
    let facts = try text(of: other.standardOutput).split(separator: "\n").map(String.init)
    for name in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
      #expect(facts.contains { $0.hasPrefix("\(name):") && $0.hasSuffix("0000000000000000") }, "\(facts)")
    }
    #expect(facts.contains("NoNewPrivs:\t1"))
    // Its group and its session have its own number, and there is no terminal.
    #expect(facts.suffix(2) == ["\(other.pid) \(other.pid) 0", "\(other.pid)"])
    _ = await other.waitForExit()
    // This process has kept its own, on every thread.
    for thread in try FileManager.default.contentsOfDirectory(atPath: "/proc/self/task") {
      let status =
        (try? String(contentsOfFile: "/proc/self/task/\(thread)/status", encoding: .utf8)) ?? "Uid:\t0\t0\t0\t0"
      #expect(status.contains("Uid:\t0\t0\t0\t0"))
    }
  }

  @Test(.enabled(if: geteuid() != 0, "root can")) func onlyRootStartsAChildUnderAnotherUser() async throws {
    var request = shell("true")
    request.user = 12_345
    await #expect(throws: SpawnError.self) { try await ProcessKeeper.shared.spawn(request) }
  }

  @Test func everyWaiterIsToldAlsoAfterTheEnd() async throws {
    let child = try await ProcessKeeper.shared.spawn(shell("read line", input: .pipe))
    #expect(child.exitStatus == nil)
    await withTaskGroup(of: ExitStatus.self) { group in
      for _ in 0..<10 { group.addTask { await child.waitForExit() } }
      child.standardInput?.close()
      for await status in group { #expect(status == .exited(1)) }
    }
    #expect(await child.waitForExit() == .exited(1))
    #expect(child.exitStatus == .exited(1))
  }

  @Test func standardStreamsAreWhatWasAskedFor() async throws {
    let child = try await ProcessKeeper.shared.spawn(
      shell("cat; echo talk >&2", input: .pipe, output: .pipe, error: .pipe))
    let input = try #require(child.standardInput)
    #expect(write(input.descriptor, "data\n", 5) == 5)
    input.close()
    #expect(try text(of: child.standardOutput) == "data\n")
    #expect(try text(of: child.standardError) == "talk\n")
    #expect(await child.waitForExit() == .exited(0))
  }

  @Test func childHasOnlyItsThreeDescriptorsAndAGroupOfItsOwn() async throws {
    // A descriptor that is not close-on-exec, as a library may leave one behind.
    let stray = open("/dev/null", O_RDONLY)
    defer { close(stray) }
    let child = try await ProcessKeeper.shared.spawn(
      shell("echo /proc/self/fd/*; echo $$ $(cut -d' ' -f5 /proc/$$/stat)", input: .null, output: .pipe))
    let lines = try text(of: child.standardOutput).split(separator: "\n")
    let numbers = try #require(lines.first).split(separator: " ").compactMap {
      Int($0.split(separator: "/").last ?? "")
    }
    // The shell reads the directory through one descriptor more.
    #expect(Set(numbers).isSuperset(of: [0, 1, 2]) && numbers.count <= 4)
    #expect(lines.last == "\(child.pid) \(child.pid)")
  }

  @Test func signalsAreAtTheirDefaultsInTheChild() async throws {
    // NIO and UnixSignals ignore signals in this process, and exec would hand that down.
    signal(SIGPIPE, SIG_IGN)
    let child = try await ProcessKeeper.shared.spawn(
      shell("grep -E '^Sig(Blk|Ign)' /proc/self/status", output: .pipe))
    let masks = try text(of: child.standardOutput).split(separator: "\n").map { $0.suffix(16) }
    // Signals 32 and 33 are glibc's own: it lets nobody set them, and its posix_spawn leaves them ignored.
    let ofGlibc: UInt64 = 0b11 << 31
    #expect(masks.map { UInt64($0, radix: 16).map { $0 & ~ofGlibc } } == [0, 0])
  }

  @Test func aChildIgnoresTheSignalsThatItIsToldTo() async throws {
    var request = shell("kill -HUP $$; kill -INT $$; grep ^SigIgn /proc/self/status; kill -QUIT $$", output: .pipe)
    request.ignoredSignals = [SIGHUP, SIGINT, 0, 64]
    let child = try await ProcessKeeper.shared.spawn(request)
    let mask = try text(of: child.standardOutput).split(whereSeparator: \.isWhitespace).last ?? ""
    #expect(UInt64(mask, radix: 16).map { $0 & 0xff } == 0b11)
    #expect(await child.waitForExit() == .signaled(SIGQUIT))
  }

  @Test func environmentAndWorkingDirectoryAreTheRequested() async throws {
    var request = shell("pwd; env | grep -v -E '^(PWD|_|SHLVL|OLDPWD)='", output: .pipe)
    request.environment = ["ONLY": "this"]
    request.workingDirectory = "/usr"
    let child = try await ProcessKeeper.shared.spawn(request)
    #expect(try text(of: child.standardOutput) == "/usr\nONLY=this\n")
  }

  @Test func spawnStampIsBeforeTheProcessAndAfterTheOrder() async throws {
    let before = MonotonicClock.now()
    let child = try await ProcessKeeper.shared.spawn(shell("exit 0"))
    #expect(child.spawnedAt >= before && child.spawnedAt <= MonotonicClock.now())
    _ = await child.waitForExit()
  }

  @Test(arguments: [
    (ProcessRequest(executable: "/no/such/program"), SpawnError.Step.execute, ENOENT),
    (ProcessRequest(executable: "no-such-program-in-path"), .execute, ENOENT),
    (ProcessRequest(executable: "/etc/passwd"), .execute, EACCES),
    (ProcessRequest(executable: "/bin/true", workingDirectory: "/no/such/directory"), .workingDirectory, ENOENT),
    (ProcessRequest(executable: "/bin/true", arguments: ["a\0b"]), .request, EINVAL),
    (
      ProcessRequest(executable: "/bin/true", standardInput: .descriptor(OwnedDescriptor(-1))), .descriptors, EBADF
    ),
  ])
  func failedStartNamesItsStep(request: ProcessRequest, step: SpawnError.Step, errno: Int32) async {
    let error = await #expect(throws: SpawnError.self) { try await ProcessKeeper.shared.spawn(request) }
    #expect(error?.step == step)
    #expect(error?.errno == errno)
    #expect(error?.description.contains(request.executable) == true)
  }

  // In a process of its own, where nobody else opens or closes anything.
  @Test func nothingLeaksOnAnyPath() async {
    await #expect(processExitsWith: .success) {
      let keeper = ProcessKeeper.shared
      func everyPath() async throws {
        let child = try await keeper.spawn(shell("cat", input: .pipe, output: .pipe, error: .pipe))
        child.standardInput?.close()
        _ = await child.waitForExit()
        for request in [
          ProcessRequest(executable: "/no", standardInput: .pipe, standardOutput: .null, standardError: .pipe),
          ProcessRequest(executable: "/bin/true", workingDirectory: "/no", standardOutput: .pipe),
          ProcessRequest(executable: "a\0", standardInput: .pipe),
        ] {
          _ = try? await keeper.spawn(request)
        }
      }
      try await everyPath()
      let before = try descriptors()
      for _ in 0..<20 { try await everyPath() }
      // The last child's pidfd is closed before its waiter is told; libdispatch has a file of procfs open at times.
      var after = try descriptors()
      for _ in 0..<100 where !after.isSubset(of: before) {
        try await Task.sleep(for: .milliseconds(10))
        after = try descriptors()
      }
      guard after.isSubset(of: before) else {
        print("before \(before), after \(after)")
        exit(1)
      }
      // No zombie either.
      exit(waitpid(-1, nil, WNOHANG) == -1 && errno == ECHILD ? 0 : 2)
    }
  }

  @Test func runningOutOfDescriptorsIsAnErrorAndLeavesNothing() async {
    await #expect(processExitsWith: .success) {
      let keeper = ProcessKeeper.shared
      let first = try await keeper.spawn(shell("exit 0"))
      _ = await first.waitForExit()
      let open = try descriptors()
      // Room for three pipes less one descriptor, and then ever less.
      for room in stride(from: 6, through: 0, by: -1) {
        var hoard: [OwnedDescriptor] = []
        var limit = rlimit(rlim_cur: 256, rlim_max: 256)
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        while true {
          let descriptor = dup(0)
          if descriptor < 0 { break }
          hoard.append(OwnedDescriptor(descriptor))
        }
        hoard.removeLast(room)
        do {
          let child = try await keeper.spawn(shell("exit 0", input: .pipe, output: .pipe, error: .pipe))
          _ = await child.waitForExit()
          exit(1)
        } catch let error as SpawnError {
          guard error.errno == EMFILE else { exit(2) }
        }
        hoard.removeAll()
        guard try descriptors() == open else { exit(3) }
      }
    }
  }
}
