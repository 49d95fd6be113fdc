import FoundationEssentials
import Gateway
import Glibc
import ProcessControl
import TestSupport
import Testing

@testable import InfraBench
@testable import Results
import Reports

/// Signals to the suite as they are sent and ignored in the field: under `nohup`, in a script's background, to everything at once.
@Suite(.timeLimit(.minutes(3))) struct SuiteSenderTests {
  /// A run that holds tasks of a gateway which outlives it, when it has measured something.
  private func holding(_ gateway: MockGateway, through launcher: [String] = []) async throws -> BenchSuite {
    let run = try await BenchSuite.start(
      ["--only", "bench-allocation"] + BenchSuite.anySpeed + ["--count", "100", "--hold"], gateway: gateway.url,
      through: launcher)
    try await eventually("no run") { run.running.standardOutputSoFar.contains("Run 2: ") }
    return run
  }

  /// As service managers and CI runners send it that know all processes of a job.
  private func signalEverything(_ run: BenchSuite, _ signal: Int32) {
    let processes = ProcessEntry.descendants(of: run.running.child.pid)
    run.running.child.signal(signal)
    for process in processes where process.isAlive { kill(process.pid, signal) }
  }

  @Test(.wholeSuiteOnly, arguments: [(SIGQUIT, 131), (SIGINT, 130), (SIGTERM, 143), (SIGHUP, 129)] as [(Int32, Int32)])
  func aSignalToEverythingIsOneSignalToTheTool(signal: Int32, status: Int32) async throws {
    let gateway = try await MockGateway.start()
    let run = try await holding(gateway)
    signalEverything(run, signal)
    let outcome = await run.running.end()
    #expect(outcome.status == .exited(status), "\(outcome.standardError)")
    #expect(!outcome.standardError.contains("ended at once"), "\(outcome.standardError)")
    try await run.folder.expectSound("\(outcome.standardError)")
    #expect(run.folder.documents.count == 1)
    #expect(try await gateway.status().assignedCount == 0)
    try await run.expectNothingLeft("\(outcome.standardError)")
    await gateway.stop()
  }

  /// SIGHUP under `nohup`, SIGINT and SIGQUIT in a script's background job.
  @Test(.wholeSuiteOnly, arguments: [SIGHUP, SIGINT, SIGQUIT])
  func whatWasIgnoredAtTheStartIsIgnoredByTheToolsToo(signal: Int32) async throws {
    let run = try await BenchSuite.start(
      ["--only", "bench-allocation"] + BenchSuite.anySpeed + [
        "--count", "8", "--think-time", "100ms", "--pool-size", "2",
      ],
      through: ["/bin/sh", "-c", "trap '' HUP INT QUIT; exec \"$@\"", "sh"])
    try await eventually("no run") { run.running.standardOutputSoFar.contains("Run 2: ") }
    for name in ["bench-allocation", "mock-gateway"] {
      let process = try await run.process(name)
      #expect(process.ignores(signal), "\(name) does not ignore signal \(signal)")
      kill(process.pid, signal)
    }
    run.running.child.signal(signal)
    let outcome = await run.running.end()
    #expect(outcome.status == .exited(0), "\(outcome.standardError)")
    #expect(try run.folder.summary.state == .finished && outcome.standardOutput.contains("Run 8: "))
    try await run.expectNothingLeft("\(outcome.standardError)")
  }

  /// What `nohup` keeps away from a run does not keep it from being ended.
  @Test(.enabled(if: Tool.isInstalled("nohup"), "needs nohup")) func underNohupItIsEndedBySIGTERM() async throws {
    let gateway = try await MockGateway.start()
    let run = try await holding(gateway, through: ["nohup"])
    signalEverything(run, SIGHUP)
    run.running.child.signal(SIGTERM)
    let outcome = await run.running.end()
    #expect(outcome.status == .exited(143), "\(outcome.standardError)")
    #expect(try run.folder.summary.interruption == "SIGTERM")
    #expect(try await gateway.status().assignedCount == 0)
    await gateway.stop()
  }
}
