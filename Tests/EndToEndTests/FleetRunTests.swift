import FoundationEssentials
import Glibc
import ProcessControl
import Synchronization
import TestSupport
import Testing

@testable import InfraBench
@testable import Results

/// `bench-fleet` on this machine, as people run it, and with each of its faults.
@Suite(.serialized, .timeLimit(.minutes(4))) struct FleetRunTests {
  /// A gateway that gives everybody a task, and remembers who asked.
  final class Recorder: Sendable {
    let server: ScriptedGateway
    private let given: Counting

    /// - Parameter sameTask: whether the users 1 to 3 are given one task at once. All others get theirs two seconds later.
    init(sameTask: Bool = false, seconds: Double = 0) async throws {
      let given = Counting()
      self.given = given
      server = try await ScriptedGateway { request in
        switch request.line {
        case "GET /api/status": return ScriptedGateway.status(warm: 100)
        case "POST /api/acquire":
          let isOfFirst = sameTask && (Int(request.body.filter(\.isNumber)) ?? 0) <= 3
          let task = isOfFirst ? "same" : "\(given.next())"
          let answer = "{\"success\": true, \"taskId\": \"task-\(task)\", \"source\": \"warm\"}"
          let delay = sameTask && !isOfFirst ? 2 : seconds
          return delay > 0 ? .late(answer, seconds: delay) : .json(answer)
        case "POST /api/release": return .json("{\"success\": true}")
        default: return .json("{}", status: 404)
        }
      }
    }

    /// The users who asked for a task, each as often as it asked, sorted.
    var users: [String] {
      server.requests.filter { $0.line == "POST /api/acquire" }.compactMap { request in
        request.body.split(separator: "\"").first { $0.hasPrefix("u-") }.map(String.init)
      }.sorted()
    }
  }

  /// A fleet of three in a folder of its own.
  struct Fleet {
    let scratch: Scratch
    let running: Tool.Running

    static func start(
      _ url: String, _ options: [String], shards: Int = 3, lead: String = "1s", scratch: Scratch? = nil,
      fleet: [String] = [], through launcher: [String] = []
    ) async throws -> Fleet {
      let scratch = try scratch ?? Scratch()
      let running = try await Tool(name: "bench-fleet").start(
        ["--on", "local", "--shards", "\(shards)", "--dir", scratch("fleet"), "--lead", lead] + fleet
          + ["--print", "json", "--", "bench-concurrent", "--gateway-url", url, "--user-id", "u"] + options
          + BenchRun.anySpeed, environment: ["GATEWAY_URL": "", "GATEWAY_TOKEN": "", "TMPDIR": scratch.path],
        in: scratch.path, through: launcher)
      return Fleet(scratch: scratch, running: running)
    }

    func end() async -> Tool.Outcome { await running.end(within: .seconds(90)) }

    /// The folder of the only run.
    var folder: String? {
      (scratch.names(in: "fleet") ?? []).first { $0.hasSuffix("bench-concurrent") }.map { scratch("fleet/\($0)") }
    }

    /// The process of a shard, once it is ready.
    func process(of shard: Int) async throws -> Int32 {
      var pid: Int32 = 0
      try await eventually("shard \(shard) is never ready") {
        let ready = folder.flatMap { FleetFolder(path: $0).record(ShardReadiness.self, in: "ready/\(shard)") }
        pid = ready?.pid ?? 0
        return pid > 0
      }
      return pid
    }

    /// The results of the shards.
    var shardResults: [String] {
      guard let folder else { return [] }
      return ResultFileSearch(["\(folder)/shards"]).files.map(\.path).sorted()
    }
  }

  private static let open = ["--rate", "60/s", "--duration", "2s", "--max-in-flight", "21"]

  @Test(arguments: [1, 2, 7]) func `local shards are together the single run's users, and one result`(
    _ shards: Int
  ) async throws {
    let recorder = try await Recorder()
    let fleet = try await Fleet.start(
      recorder.server.url, ["--concurrency", "21", "--count", "21", "--seed", "5"], shards: shards)
    let outcome = await fleet.end()
    try #require(outcome.status == .exited(0), "\(outcome.standardError)")
    let document = try outcome.document
    #expect(recorder.users == (1...21).map { LoadSettings.userID("u", $0, of: 21) })
    #expect(document.counters["iterations"] == 21 && document.metrics["all"]?.count == 21)
    #expect(document.fleet?.of == shards && document.fleet?.missing == [])
    #expect(document.parameters["concurrency"] == 21 && document.parameters["seed"] == 5)
    #expect(fleet.shardResults.count == shards)
    // What the shards agreed by is gone; their results and messages are there.
    let names = try #require(fleet.folder.map { Set((try? FileManager.default.contentsOfDirectory(atPath: $0)) ?? []) })
    #expect(names == ["fleet.json", "shards"])
    await recorder.server.stop()
  }

  @Test func `an open loop's starts are divided, and the document says how each shard did`() async throws {
    let recorder = try await Recorder()
    let fleet = try await Fleet.start(recorder.server.url, Self.open + ["--timeline", "500ms"])
    let outcome = await fleet.end()
    try #require(outcome.status == .exited(0), "\(outcome.standardError)")
    let document = try outcome.document
    #expect(document.counters["iterations"] == 120 && recorder.users.count == 120)
    #expect(document.timeline?.rows.reduce(0) { $0 + ($1.iterations ?? 0) } == 120)
    let parts = try #require(document.fleet?.shards)
    #expect(parts.map(\.iterations) == [40, 40, 40])
    #expect(parts.allSatisfy { $0.clock?.source == .folder && $0.firstStartLatenessMs != nil })
    #expect(document.fleet?.startAt == document.startedAt)
    #expect(document.counters["duplicate_assignments"] == 0)
    if DocumentSchema.isAvailable {
      #expect(try await DocumentSchema.faults(in: outcome.standardOutput).isEmpty)
      let shard = FileManager.default.contents(atPath: fleet.shardResults[0]) ?? Data()
      #expect(try await DocumentSchema.faults(in: String(decoding: shard, as: UTF8.self)).isEmpty)
    }
    await recorder.server.stop()
  }

  @Test func `several bursts begin at one instant each, in all shards`() async throws {
    let recorder = try await Recorder()
    let fleet = try await Fleet.start(
      recorder.server.url, ["--concurrency", "6", "--bursts", "2", "--beyond", "3"], shards: 3)
    let outcome = await fleet.end()
    try #require(outcome.status == .exited(0), "\(outcome.standardError)")
    #expect(recorder.users == (1...18).map { LoadSettings.userID("u", $0, of: 18) })
    #expect(try outcome.document.counters["iterations"] == 18)
    await recorder.server.stop()
  }

  @Test func `a task that users of two shards have at one time is a duplicate that only the merge sees`() async throws {
    let recorder = try await Recorder(sameTask: true)
    // Each shard has one of the users 1 to 3, who has the task once: no shard sees a duplicate by itself. It is held until
    // the shard's other user has a task.
    let fleet = try await Fleet.start(recorder.server.url, ["--concurrency", "6", "--bursts", "1"], shards: 3)
    let outcome = await fleet.end()
    let document = try outcome.document
    #expect(document.counters["duplicate_assignments"] == 2, "\(outcome.standardError)")
    #expect(document.fleet?.duplicatesAcross == 2)
    await recorder.server.stop()
  }

  // MARK: - Signals

  @Test func `SIGINT ends all shards with what they have measured`() async throws {
    let recorder = try await Recorder()
    let fleet = try await Fleet.start(
      recorder.server.url, ["--rate", "60/s", "--duration", "10m", "--max-in-flight", "21"])
    try await eventually("no load") { recorder.users.count > 60 }
    fleet.running.child.signal(SIGINT)
    let outcome = await fleet.end()
    #expect(outcome.status == .exited(130), "\(outcome.standardError)")
    let document = try outcome.document
    #expect(document.verdict == .interrupted && document.fleet?.missing == [])
    #expect(document.counters["iterations"] ?? 0 > 60)
    #expect(fleet.shardResults.count == 3)
    await recorder.server.stop()
  }

  @Test func `shards whose coordinator is killed finish, and can be merged by hand`() async throws {
    let recorder = try await Recorder()
    let fleet = try await Fleet.start(recorder.server.url, Self.open)
    var processes: [Int32] = []
    for shard in 0..<3 { processes.append(try await fleet.process(of: shard)) }
    try await eventually("no load") { recorder.users.count > 10 }
    fleet.running.child.signal(SIGKILL)
    _ = await fleet.end()
    try await eventually("the shards do not end") { processes.allSatisfy { kill($0, 0) != 0 } }
    let merged = try await Tool(name: "bench-report").run(
      ["--merge-shards", "--print", "json"] + fleet.shardResults, in: fleet.scratch.path)
    #expect(merged.status == .exited(0), "\(merged.standardError)")
    #expect(try merged.document.counters["iterations"] == 120)
    #expect(try merged.document.fleet?.of == 3)
    await recorder.server.stop()
  }

  // MARK: - Faults

  /// Programs of which that of shard 1 does something else first.
  private static func programs(_ scratch: Scratch, _ fault: String) throws -> [String] {
    let script = """
      #!/bin/sh
      real='\(try Tool(name: "bench-concurrent").path)'
      folder=''; previous=''
      for word in "$@"; do
        [ "$previous" = --start-at ] && folder=$word
        previous=$word
      done
      case " $* " in *" --shard 1/"*) \(fault) ;; esac
      exec "$real" "$@"

      """
    scratch.directory("programs")
    chmod(scratch.write("programs/bench-concurrent", script), 0o755)
    return ["--programs", scratch("programs")]
  }

  private struct Fault: CustomTestStringConvertible, Sendable {
    var name: String
    /// What the program of shard 1 does first.
    var script: String
    var said: String
    var testDescription: String { name }
  }

  private static func ready(version: String = SuiteVersion.version, offset: String) -> String {
    """
    printf '{"index": 1, "of": 3, "hostname": "elsewhere", "pid": 1, "version": "\(version)", "clock": \
    {"source": "folder", "offsetMs": \(offset), "errorMs": 0.1}}' >"$folder/ready/1"
    while [ ! -e "$folder/begin/stop" ]; do sleep 0.1; done; exit 130
    """
  }

  private static let faults = [
    Fault(
      name: "ends at once", script: "echo 'error: no such thing' >&2; exit 3", said: "exit status 3): error: no such"),
    Fault(name: "clock behind", script: ready(offset: "-2000"), said: "(elsewhere): its clock is 2.00s behind"),
    Fault(name: "other version", script: ready(version: "0.1.9", offset: "0"), said: "is of version 0.1.9"),
    Fault(
      name: "full disk", script: "trap '' XFSZ; ulimit -f 1", said: "error: the result could not be written"),
    Fault(name: "never ready", script: "exec sleep 60", said: "1 of 3 shards were not ready within 3s: 1;"),
  ]

  @Test(arguments: faults) private func `a shard's fault fails the run by its name`(_ fault: Fault) async throws {
    let recorder = try await Recorder()
    let scratch = try Scratch()
    let bound = fault.name == "never ready" ? ["--ready-within", "3s"] : []
    let fleet = try await Fleet.start(
      recorder.server.url, Self.open, scratch: scratch, fleet: try Self.programs(scratch, fault.script) + bound)
    let outcome = await fleet.end()
    #expect(outcome.status == .exited(1), "\(outcome.standardError)")
    #expect(outcome.standardError.contains(fault.said), "\(outcome.standardError)")
    #expect(outcome.standardError.contains("error: shard 1") || fault.name == "never ready")
    #expect(outcome.standardOutput == "")
    await recorder.server.stop()
  }

  @Test func `a shard that dies fails the run by its name, and the others end`() async throws {
    let recorder = try await Recorder()
    let fleet = try await Fleet.start(
      recorder.server.url, ["--rate", "60/s", "--duration", "10m", "--max-in-flight", "21"])
    let victim = try await fleet.process(of: 1)
    try await eventually("no load") { recorder.users.count > 30 }
    kill(victim, SIGKILL)
    let outcome = await fleet.end()
    #expect(outcome.status == .exited(1), "\(outcome.standardError)")
    #expect(outcome.standardError.contains("error: shard 1 ("), "\(outcome.standardError)")
    #expect(outcome.standardError.contains("signal 9 ended it"))
    #expect(outcome.standardError.contains("bench-report --merge-shards --allow-missing"))
    let partial = try await Tool(name: "bench-report").run(
      ["--merge-shards", "--allow-missing", "--print", "json"] + fleet.shardResults, in: fleet.scratch.path)
    #expect(partial.status == .exited(0), "\(partial.standardError)")
    #expect(try partial.document.fleet?.missing == [1])
    await recorder.server.stop()
  }

  @Test func `a shard that learns the begin too late makes no load, and fails the run by its name`() async throws {
    let recorder = try await Recorder()
    let fleet = try await Fleet.start(recorder.server.url, Self.open, lead: "2s")
    let victim = try await fleet.process(of: 1)
    kill(victim, SIGSTOP)
    defer { kill(victim, SIGCONT) }
    // The others' load shows that the begin has passed.
    try await eventually("no load") { recorder.users.count > 5 }
    kill(victim, SIGCONT)
    let outcome = await fleet.end()
    #expect(outcome.status == .exited(1), "\(outcome.standardError)")
    #expect(outcome.standardError.contains("shard 1 of 3 came"), "\(outcome.standardError)")
    #expect(outcome.standardError.contains("too late for the begin"))
    await recorder.server.stop()
  }

  @Test func `wrong usage is said at once and starts nothing`() async throws {
    let scratch = try Scratch()
    let outcome = try await Tool(name: "bench-fleet").run(
      ["--on", "local", "--shards", "3", "--dir", scratch("fleet"), "--", "bench-api"], in: scratch.path)
    #expect(outcome.status == .exited(64))
    #expect(outcome.standardError.contains("'bench-api' has no schedule that could be divided"))
    #expect(scratch.names(in: "fleet") == nil)
    let alone = try await Tool(name: "bench-api").run(["--shard", "0/2"], in: scratch.path)
    #expect(alone.status == .exited(64))
  }
}
