import FoundationEssentials
import Gateway
import Glibc
import ProcessControl
import TestSupport
import Testing

@testable import InfraBench
@testable import Results
import Reports

/// The suite with its own tools, where something dies or is not there: a tool, a gateway, the suite itself, the disk.
@Suite(.timeLimit(.minutes(5))) struct SuiteFaultTests {
  private static let anySpeed = BenchSuite.anySpeed

  // MARK: What dies

  /// Both have temporary files: a gateway's workspaces, and directories of the tool's own.
  @Test(.wholeSuiteOnly, arguments: ["bench-allocation", "bench-dirinit"])
  func aToolThatIsKilledIsAnErrorAndTheOthersAreRun(_ name: String) async throws {
    let scratch = try Scratch()
    scratch.write(
      "suite.json",
      #"{"bench-allocation": {"count": 1000}, "bench-dirinit": {"duration": "1m"}, "bench-e2e": {"count": 1}}"#)
    let run = try await BenchSuite.start(
      ["--only", "bench-e2e", "--only", name, "--scenario", "suite.json"] + Self.anySpeed, in: scratch)
    let tool = try await run.process(name)
    try await eventually("no temporary files") { run.hasTemporaryFiles }
    kill(tool.pid, SIGKILL)
    let outcome = await run.running.end(within: .seconds(60))
    #expect(outcome.status == .exited(1), "137 is nobody's: \(outcome.standardError)")
    try await run.folder.expectSound("\(outcome.standardError)")
    let tools = try run.folder.summary.tools.filter { $0.verdict != "skipped" }
    #expect(tools.map(\.verdict) == ["error", "pass"] && tools[0].reason?.contains("killed by SIGKILL") == true)
    #expect(outcome.standardError.contains("\(name): it was killed by SIGKILL"))
    try await run.expectNothingLeft("\(outcome.standardError)")
  }

  @Test(.wholeSuiteOnly) func aGatewayThatIsKilledIsNoPass() async throws {
    let run = try await BenchSuite.start(
      ["--only", "bench-allocation", "--threshold", "errors == 0"] + Self.anySpeed
        + ["--count", "100", "--timeout", "1s"])
    try await eventually("no run") { run.running.standardOutputSoFar.contains("Run 1: ") }
    kill(try await run.process("mock-gateway").pid, SIGKILL)
    let outcome = await run.running.end(within: .seconds(150))
    #expect(
      outcome.status == .exited(99) || outcome.status == .exited(1), "\(outcome.status): \(outcome.standardError)")
    try await run.folder.expectSound("\(outcome.standardError)")
    // The request that was under way is reset or closed, all further ones are refused.
    let kinds = ["connect_refused", "reset", "closed"]
    let reasons = outcome.standardError.split(separator: "\n").filter { $0.hasPrefix("fail: bench-allocation: ") }
    #expect(reasons.contains { reason in kinds.contains { reason.contains($0) } }, "\(outcome.standardError)")
    let junit = run.folder.junit
    #expect(kinds.contains { junit.contains($0) }, "\(junit)")
    try await run.expectNothingLeft()
  }

  @Test func aSuiteThatIsKilledLeavesNoProcessNoTaskAndNoGreenFile() async throws {
    let gateway = try await MockGateway.start()
    let scratch = try Scratch()
    scratch.directory("results")
    for name in ["summary.md", "summary.json", "junit.xml"] { scratch.write("results/\(name)", "old and green") }
    let run = try await BenchSuite.start(
      ["--only", "bench-allocation"] + Self.anySpeed + ["--count", "100", "--hold"], gateway: gateway.url, in: scratch)
    try await eventually("no run") { run.running.standardOutputSoFar.contains("Run 2: ") }
    let tool = try await run.process("bench-allocation")
    run.running.child.signal(SIGKILL)
    let outcome = await run.running.end()
    #expect(outcome.status == .signaled(SIGKILL))
    try await eventually("the tool lives on") { !tool.isAlive }
    try await run.expectNothingLeft()
    // The tool came to its end in order.
    #expect(try await gateway.status().assignedCount == 0)
    #expect(run.folder.documents.count == 1)
    #expect(
      try run.folder.documents.allSatisfy {
        try ResultCoding.decode(scratch.text($0), tools: .suite).verdict == .interrupted
      })
    #expect(try run.folder.summary.state == .running && run.folder.junit.contains("<error"))
    #expect(!run.folder.markdown.contains("passed"))
    await gateway.stop()
  }

  /// Its directories and a gateway's workspaces are the tool's, which ends in order.
  @Test(arguments: ["bench-dirinit", "bench-e2e"])
  func aSuiteThatIsKilledLeavesNoTemporaryFile(_ name: String) async throws {
    let run = try await BenchSuite.start(["--only", name] + Self.anySpeed + ["--duration", "1m"])
    let tool = try await run.process(name)
    try await eventually("no temporary files") { run.hasTemporaryFiles }
    run.running.child.signal(SIGKILL)
    #expect(await run.running.end().status == .signaled(SIGKILL))
    try await eventually("the tool lives on") { !tool.isAlive }
    try await run.expectNothingLeft()
  }

  @Test func whatAToolIsToKeepIsKept() async throws {
    let run = try await BenchSuite.start(["--only", "bench-dirinit"] + Self.anySpeed + ["--count", "2", "--keep"])
    let outcome = await run.running.end(within: .seconds(60))
    #expect(outcome.status == .exited(0), "\(outcome.standardError)")
    let kept = (run.scratch.names(in: "") ?? []).filter { $0.hasPrefix("infrabench-") }
    #expect(kept.count == 1 && kept.allSatisfy { run.scratch.names(in: $0)?.count == 2 }, "\(kept)")
  }

  /// They pass through directories that are another user's.
  @Test(.enabled(if: getuid() == 0, "only root can take other user ids"))
  func otherUserIDsReachTheirDirectories() async throws {
    let run = try await BenchSuite.start(
      ["--only", "bench-dirinit"] + Self.anySpeed + ["--count", "2", "--as-uid", "65533,65534"])
    let outcome = await run.running.end(within: .seconds(60))
    #expect(outcome.status == .exited(0), "\(outcome.standardError)")
    #expect(outcome.standardOutput.contains("65533 and 65534: no violation"), "\(outcome.standardOutput)")
    try await run.expectNothingLeft()
  }

  // MARK: What is not there

  @Test func aDeadGatewayIsAnErrorOfEachToolAndEndsSoon() async throws {
    let run = try await BenchSuite.start(
      ["--skip-efs", "--quick"] + Self.anySpeed + ["--timeout", "1s", "--count", "2"], gateway: "http://127.0.0.1:1")
    let outcome = await run.running.end(within: .seconds(90))
    #expect(outcome.status == .exited(1), "\(outcome.standardError)")
    try await run.folder.expectSound("\(outcome.standardError)")
    let tools = try run.folder.summary.tools
    #expect(tools.map(\.verdict) == ["error", "skipped", "error", "error", "error", "skipped"])
    #expect(outcome.standardError.contains("fail: bench-allocation: "))
    try await run.expectNothingLeft()
  }

  @Test(.wholeSuiteOnly) func aMuteGatewayIsNoPass() async throws {
    let gateway = try MuteServer()
    let run = try await BenchSuite.start(
      ["--only", "bench-allocation", "--only", "bench-concurrent"] + Self.anySpeed + [
        "--timeout", "300ms", "--count", "2",
      ],
      gateway: gateway.url)
    let outcome = await run.running.end(within: .seconds(90))
    #expect(outcome.status == .exited(1), "\(outcome.standardError)")
    try await run.folder.expectSound("\(outcome.standardError)")
  }

  @Test func anEmptyPoolIsNoPass() async throws {
    let gateway = try await MockGateway.start(
      ["--virtual-tasks", "--pool-size", "0", "--max-size", "10", "--max-tasks", "20"], warm: 0)
    let run = try await BenchSuite.start(
      ["--only", "bench-allocation"] + Self.anySpeed + ["--timeout", "300ms", "--count", "2"], gateway: gateway.url)
    let outcome = await run.running.end(within: .seconds(90))
    #expect(outcome.status == .exited(1), "\(outcome.standardError)")
    try await run.folder.expectSound("\(outcome.standardError)")
    await gateway.stop()
  }

  // MARK: The disk

  /// Asked of the system: in a container root may be refused both.
  private static let canMount = system("unshare -m mount -t tmpfs tmpfs /tmp >/dev/null 2>&1") == 0

  /// Runs the suite with a file system of its own as `results`, and copies what is there at the end to `kept`.
  private func run(onDisk options: String, _ preparation: String, _ arguments: [String]) async throws -> (
    Tool.Outcome, Scratch
  ) {
    let scratch = try Scratch()
    scratch.directory("results")
    scratch.directory("kept")
    let script = """
      mount -t tmpfs -o \(options) tmpfs results || exit 77
      \(preparation)
      "$@"; status=$?; cp -r results/. kept; exit $status
      """
    let run = try await BenchSuite.start(
      arguments, through: ["unshare", "-m", "sh", "-c", script, "sh"], in: scratch)
    return (await run.running.end(within: .seconds(60)), scratch)
  }

  @Test(.enabled(if: canMount, "needs unshare and the right to mount"))
  func onAFullDiskTheTableIsPrintedAndNoOldVerdictIsLeft() async throws {
    let (outcome, scratch) = try await run(
      onDisk: "size=64k",
      "for f in summary.md summary.json junit.xml; do echo 'old and green' > results/$f; done; "
        + "cat /dev/zero > results/filler 2>/dev/null",
      ["--only", "bench-dirinit"] + Self.anySpeed + ["--count", "2"])
    #expect(outcome.status == .exited(1), "\(outcome.standardError)")
    #expect(outcome.standardOutput.contains("bench-dirinit") && outcome.standardOutput.contains("verdict"))
    #expect(outcome.standardError.contains("could not be written: No space left on device"))
    let left = scratch.names(in: "kept") ?? []
    #expect(!left.contains { $0.hasSuffix(".tmp") }, "\(left)")
    for name in ["summary.md", "summary.json", "junit.xml"] {
      #expect(!scratch.text("kept/\(name)").contains("old and green"))
    }
  }

  @Test(.enabled(if: canMount, "needs unshare and the right to mount"))
  func aReadOnlyFolderIsRefusedBeforeAnythingIsStarted()
    async throws
  {
    let (outcome, scratch) = try await run(
      onDisk: "ro", ":", ["--only", "bench-dirinit"] + Self.anySpeed + ["--count", "2"])
    #expect(outcome.status == .exited(64) && outcome.standardOutput.isEmpty)
    #expect(
      outcome.standardError.hasPrefix("error: --output-dir: 'results' cannot be written"), "\(outcome.standardError)")
    #expect(!outcome.standardError.contains("==>") && scratch.names(in: "kept") == [])
  }

  /// As a container has one where a single file is mounted into it.
  @Test(.enabled(if: canMount, "needs unshare and the right to mount"))
  func aNameThatIsAMountPointIsRefusedBeforeAnythingIsStarted() async throws {
    let (outcome, scratch) = try await run(
      onDisk: "size=1m", "touch results/junit.xml && mount --bind results/junit.xml results/junit.xml || exit 77",
      ["--only", "bench-dirinit"] + Self.anySpeed + ["--count", "2"])
    #expect(outcome.status == .exited(64) && outcome.standardOutput.isEmpty, "\(outcome.standardError)")
    #expect(
      outcome.standardError.hasPrefix("error: --output-dir: 'results/junit.xml' is a mount point"),
      "\(outcome.standardError)")
    #expect(!outcome.standardError.contains("==>") && scratch.names(in: "kept") == ["junit.xml"])
  }

  // MARK: Two at once

  @Test func twoSuitesInOneFolderHaveTheirOwnResults() async throws {
    let scratch = try Scratch()
    let options = ["--only", "bench-dirinit", "--repeat", "2"] + Self.anySpeed + ["--count", "2"]
    async let one = BenchSuite.start(options, in: scratch).running.end(within: .seconds(60))
    async let other = BenchSuite.start(options, in: scratch).running.end(within: .seconds(60))
    for outcome in try await [one, other] { #expect(outcome.status == .exited(0), "\(outcome.standardError)") }
    let folder = SuiteFolder(scratch: scratch)
    try await folder.expectSound("two suites")
    #expect(folder.documents.count == 4)
    let tool = try #require(try folder.summary.tools.first { $0.tool == "bench-dirinit" })
    #expect(tool.files?.count == 2)
    // Runs say what they have in common in the same words.
    #expect(tool.notes?.count { $0.contains("not on EFS") } == 1, "\(tool.notes ?? [])")
  }
}

/// Takes connections and says nothing.
private final class MuteServer: Sendable {
  let url: String
  private let socket: OwnedDescriptor

  init() throws {
    socket = OwnedDescriptor(Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let number = socket.descriptor
    let isBound = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(number, $0, length) == 0 && listen(number, 100) == 0 && getsockname(number, $0, &length) == 0
      }
    }
    guard isBound else { throw CocoaError(.fileNoSuchFile) }
    url = "http://127.0.0.1:\(UInt16(bigEndian: address.sin_port))"
  }
}
