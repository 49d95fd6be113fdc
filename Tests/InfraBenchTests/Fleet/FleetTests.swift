import ArgumentParser
import FoundationEssentials
import Latency
import TestSupport
import Testing

@testable import InfraBench
@testable import Results

@Suite struct FleetOptionTests {
  private func settings(_ words: [String]) throws -> (FleetSettings, String) {
    let command = try FleetCommand.parse(words)
    var reader = OptionReader(environment: [:])
    let settings = reader.fleet(try command.words)
    return (settings, reader.problems.sentences.joined(separator: "\n"))
  }

  private static let tool = ["--", "bench-concurrent", "--gateway-url", "http://gw.test", "--rate", "10/s"]

  @Test func `what all shards have in common is added to the tool's options`() throws {
    let (settings, problems) = try settings(["--on", "local", "--shards", "4", "--dir", "/tmp/f"] + Self.tool)
    #expect(problems == "")
    #expect(settings.tool == "bench-concurrent" && settings.shards == 4 && settings.directory == "/tmp/f")
    #expect(settings.arguments.contains("--seed") && settings.arguments.contains("--user-id"))
    let folder = FleetRunFolder(path: "/tmp/f/run")
    let arguments = folder.arguments(settings, place: "2/4", results: folder.results(of: 2))
    #expect(
      Array(arguments.suffix(10).prefix(6)) == [
        "--shard", "2/4", "--start-at", "/tmp/f/run", "--output-dir", "/tmp/f/run/shards/2",
      ])
  }

  @Test func `all mistakes are said at once, those of the tool too`() throws {
    let (_, said) = try settings(["--on", "moon", "--shards", "0", "--lead", "1ms", "--hosts", "x", "--", "bench-api"])
    for part in ["--on: 'moon'", "--shards: '0'", "--dir: name a folder", "--lead: '1ms'", "--hosts: it is for"] {
      #expect(said.contains(part), "\(part) in \(said)")
    }
    #expect(said.contains("'bench-api' has no schedule that could be divided: bench-allocation, bench-e2e and"))
    let (_, rest) = try settings(
      ["--on", "local", "--shards", "8", "--dir", "/tmp/f"] + Self.tool
        + ["--max-in-flight", "3", "--shard", "0/2", "--output-dir", "x", "--rate", "5"])
    #expect(rest.contains("--shard: bench-fleet gives it") && rest.contains("--output-dir: bench-fleet gives it"))
    let (_, tool) = try settings(
      ["--on", "local", "--shards", "8", "--dir", "/tmp/f"] + Self.tool + ["--max-in-flight", "3", "--beyond", "x"])
    #expect(tool.contains("--max-in-flight: 3 can't be divided among 8 parts") && tool.contains("--beyond: 'x'"))
    #expect(try settings(["--on", "local", "--shards", "2", "--dir", "/tmp/f"]).1.contains("--: write the tool"))
  }

  @Test func `a header's value goes to no other machine's list of processes`() throws {
    let (_, said) = try settings(
      ["--on", "slurm", "--shards", "2", "--dir", "/tmp/f"] + Self.tool + ["--header", "Authorization: s3cret"])
    #expect(said.contains("--header: other machines would show its value"))
    #expect(!said.contains("s3cret"))
  }

  @Test func `the batch script of Slurm runs a shard in each task of its array`() throws {
    let (settings, problems) = try settings(
      [
        "--on", "slurm", "--sbatch", "--partition=load", "--shards", "4", "--dir", "/tmp/it's", "--programs",
        "/opt/bin",
      ]
        + Self.tool)
    #expect(problems == "")
    let text = SlurmLauncher(settings, FleetRunFolder(path: "/tmp/it's/run")).text
    for line in [
      "#SBATCH --array=0-3", "#SBATCH --partition=load", #"results='/tmp/it'\''s/run/shards'/$SLURM_ARRAY_TASK_ID"#,
      #"echo $status >"$results.exit""#,
    ] { #expect(text.contains(line + "\n"), "\(text)") }
    #expect(text.contains("'/opt/bin/bench-concurrent' ") && text.contains(#"'--shard' 'auto'"#))
    #expect(text.contains(#"'--output-dir' "$results" "#))
  }

  @Test func help() throws { try Golden.expect(FleetCommand.helpMessage(columns: 100), "bench-fleet-help.txt") }
}

@Suite struct FleetClockTests {
  @Test func `an offset lies within what the readings of both clocks allow`() throws {
    // This clock is 5 ms ahead of the folder's, whose time goes on every 4 ms.
    var bounds = OffsetBounds()
    var now: Int64 = 1_000_000_000
    for _ in 0..<200 {
      let before = now
      let touched = now + 30_000
      let folder = (touched - 5_000_000) / 4_000_000 * 4_000_000
      now += 90_000
      bounds.add(before: before, time: folder, now)
    }
    let error = try #require(bounds.error)
    #expect(abs(error.offsetMs - 5) <= error.errorMs, "\(error)")
    #expect(error.errorMs < 0.2 && error.source == .folder)
    #expect(OffsetBounds().error == nil)
  }

  @Test func `the clock of a folder on this machine is this machine's`() throws {
    let scratch = try ScratchDirectory()
    let error = try #require(ClockProbe.folder(scratch.path))
    // The kernel's tick is up to 10 ms old, and the probe knows it.
    #expect(abs(error.offsetMs) <= error.errorMs + 1, "\(error)")
    #expect(scratch.files.isEmpty)
    #expect(ClockProbe.folder(scratch.path + "/none") == nil)
  }

  @Test func `chrony's error bound is the offset, the dispersion and half the delay`() {
    let line = "A29FC87B,time.test,3,1733058000.1,-0.000100000,0.0,0.0001,-5.1,0.0,0.2,0.004000000,0.000500000,64.2,"
    let error = ClockProbe.chrony(line + "Normal\n")
    #expect(abs((error?.errorMs ?? 0) - 2.6) < 1e-9 && error?.offsetMs == 0 && error?.source == .chrony)
    #expect(ClockProbe.chrony(line + "Not synchronised\n") == nil)
    #expect(ClockProbe.chrony("506 Cannot talk to daemon\n") == nil)
  }

  @Test func `only a clock that is certainly off by more than the bound is refused`() {
    func problem(_ offset: Double, _ error: Double) -> String? {
      ClockComparison(
        .init(source: .folder, offsetMs: offset, errorMs: error), .init(source: .folder, offsetMs: 1, errorMs: 1),
        bound: .milliseconds(50)
      ).problem
    }
    #expect(problem(20, 1) == nil && problem(53, 1) == nil && problem(80, 40) == nil)
    #expect(problem(80, 5)?.hasPrefix("its clock is 79.0ms ahead of the coordinator's, more than 50ms") == true)
    #expect(problem(-80, 5)?.contains("81.0ms behind") == true)
    #expect(ClockComparison(nil, nil, bound: .zero).problem == nil)
  }

  @Test func `the line of all shards adds counts, and says of the percentile what it knows`() {
    let all = [
      ShardProgress(done: 100, failed: 1, dropped: 0, waiting: 2, inFlight: 3, p99: 2_000_000),
      ShardProgress(done: 50, failed: 0, dropped: 4, waiting: 0, inFlight: 1, p99: 4_100_000), ShardProgress(),
    ]
    #expect(
      FleetLine.text(all, of: 4, rate: 150)
        == "3 of 4 shards: 150 done, 150/s, 1 failed, 4 dropped, 2 waiting, P99 at most 4.10ms, 4 in flight")
  }
}
