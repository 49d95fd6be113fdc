import FoundationEssentials
import Glibc
import ProcessControl
import TestSupport
import Testing

@testable import InfraBench
@testable import Results

/// `bench-fleet` through programs that nobody here wrote: Slurm and OpenSSH.
@Suite(.serialized, .timeLimit(.minutes(5))) struct FleetLauncherTests {
  private static let needsSlurm: Comment = "needs root, slurmctld, slurmd, slurm-client and munge: ./test.sh --peers"
  private static let needsSSH: Comment = "needs openssh-server and openssh-client: ./test.sh --peers"
  private static let load = ["--rate", "80/s", "--duration", "3s", "--max-in-flight", "40"]

  private func check(_ outcome: Tool.Outcome, _ recorder: FleetRunTests.Recorder, shards: Int) throws {
    try #require(outcome.status == .exited(0), "\(outcome.standardError)")
    let document = try outcome.document
    #expect(document.counters["iterations"] == 240 && recorder.users.count == 240)
    #expect(document.metrics["all"]?.count == 240)
    #expect(document.fleet?.shards.count == shards && document.fleet?.startSpreadMs != nil)
  }

  @Test(.enabled(if: PrivateSlurm.isInstalled, needsSlurm))
  func `an array of four jobs of Slurm makes one load, by a script that is kept`() async throws {
    let slurm = try await PrivateSlurm.start()
    let recorder = try await FleetRunTests.Recorder()
    let scratch = try Scratch()
    let outcome = try await Tool(name: "bench-fleet").run(
      [
        "--on", "slurm", "--shards", "4", "--dir", scratch("fleet"), "--lead", "2s", "--sbatch=--partition=load",
        "--print", "json", "--", "bench-concurrent", "--gateway-url", recorder.server.url, "--user-id", "u",
      ] + Self.load + BenchRun.anySpeed, environment: slurm.environment, in: scratch.path, timeout: .seconds(150))
    try check(outcome, recorder, shards: 4)
    let run = try #require(scratch.names(in: "fleet")?.first { $0.hasSuffix("bench-concurrent") })
    #expect(scratch.names(in: "fleet/\(run)")?.contains("fleet.sbatch") == true)
    await recorder.server.stop()
    await slurm.stop()
  }

  @Test(.enabled(if: PrivateSlurm.isInstalled, needsSlurm))
  func `a job that Slurm cancels fails the run by its name`() async throws {
    let slurm = try await PrivateSlurm.start()
    let recorder = try await FleetRunTests.Recorder()
    let scratch = try Scratch()
    let running = try await Tool(name: "bench-fleet").start(
      [
        "--on", "slurm", "--shards", "2", "--dir", scratch("fleet"), "--lead", "2s", "--", "bench-concurrent",
        "--gateway-url", recorder.server.url, "--user-id", "u", "--rate", "20/s", "--duration", "10m",
      ] + BenchRun.anySpeed, environment: slurm.environment, in: scratch.path)
    try await eventually("no load") { recorder.users.count > 20 || running.child.exitStatus != nil }
    let jobs = try await slurm.ask(["squeue", "--noheader", "--array", "--format=%F_%K"])
    let job = try #require(jobs.split(whereSeparator: \.isWhitespace).first { $0.hasSuffix("_1") })
    _ = try await slurm.ask(["scancel", "--signal=KILL", "--full", String(job)])
    let outcome = await running.end(within: .seconds(90))
    #expect(outcome.status == .exited(1), "\(outcome.standardError)")
    #expect(outcome.standardError.contains("error: shard 1 ("), "\(outcome.standardError)")
    await recorder.server.stop()
    await slurm.stop()
  }

  @Test(.enabled(if: PrivateSlurm.isInstalled, needsSlurm))
  func `four tasks of srun take their parts by themselves`() async throws {
    let slurm = try await PrivateSlurm.start()
    let recorder = try await FleetRunTests.Recorder()
    let scratch = try Scratch()
    let style = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
    let begin = Date(timeIntervalSinceNow: 15).formatted(style)
    let outcome = try await Tool.start(
      [
        "srun", "--ntasks=4", try Tool(name: "bench-concurrent").path, "--shard", "auto", "--start-at", begin, "--seed",
        "7", "--gateway-url", recorder.server.url, "--user-id", "u", "--output-dir", scratch("results"),
      ] + Self.load + BenchRun.anySpeed, environment: slurm.environment, in: scratch.path
    ).end(within: .seconds(90))
    try #require(outcome.status == .exited(0), "\(outcome.standardError)\n\(slurm.log)")
    let results = ResultFileSearch([scratch("results")]).files.map(\.path)
    let merged = try await Tool(name: "bench-report").run(
      ["--merge-shards", "--print", "json"] + results, in: scratch.path)
    try check(merged, recorder, shards: 4)
    await recorder.server.stop()
    await slurm.stop()
  }

  @Test(.enabled(if: PrivateSSH.isInstalled, needsSSH))
  func `machines that ssh reaches make one load, and go round`() async throws {
    let ssh = try await PrivateSSH.start()
    let recorder = try await FleetRunTests.Recorder()
    let scratch = try Scratch()
    let hosts = scratch.write("hosts", "shard-a  # the first\n\n# none\nshard-b\n")
    let outcome = try await Tool(name: "bench-fleet").run(
      [
        "--on", "ssh", "--hosts", hosts, "--ssh-config", ssh.configuration, "--shards", "3", "--dir", scratch("fleet"),
        "--lead", "2s", "--print", "json", "--", "bench-concurrent", "--gateway-url", recorder.server.url, "--user-id",
        "u",
      ] + Self.load + BenchRun.anySpeed, in: scratch.path, timeout: .seconds(90))
    try check(outcome, recorder, shards: 3)
    await recorder.server.stop()
    await ssh.stop()
  }

  @Test(.enabled(if: PrivateSSH.isInstalled, needsSSH))
  func `SIGINT ends the shards of other machines too, and a machine that can't be reached is named`() async throws {
    let ssh = try await PrivateSSH.start()
    let recorder = try await FleetRunTests.Recorder()
    let scratch = try Scratch()
    func start(_ hosts: String) async throws -> Tool.Running {
      try await Tool(name: "bench-fleet").start(
        [
          "--on", "ssh", "--hosts", scratch.write("hosts", hosts), "--ssh-config", ssh.configuration, "--shards", "2",
          "--dir", scratch("fleet"), "--lead", "1s", "--print", "json", "--", "bench-concurrent", "--gateway-url",
          recorder.server.url, "--user-id", "u", "--rate", "40/s", "--duration", "10m",
        ] + BenchRun.anySpeed, in: scratch.path)
    }
    let running = try await start("shard-a\n")
    try await eventually("no load") { recorder.users.count > 40 || running.child.exitStatus != nil }
    running.child.signal(SIGINT)
    let outcome = await running.end(within: .seconds(60))
    #expect(outcome.status == .exited(130), "\(outcome.standardError)\n\(ssh.log)")
    #expect(try outcome.document.verdict == .interrupted)
    let lost = await (try await start("shard-a\nunknown.invalid\n")).end(within: .seconds(60))
    #expect(lost.status == .exited(1))
    #expect(lost.standardError.contains("shard 1 has failed (ssh to unknown.invalid failed or was cut)"))
    await recorder.server.stop()
    await ssh.stop()
  }
}
