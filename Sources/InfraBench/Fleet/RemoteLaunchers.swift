import Glibc
import Latency
import ProcessControl
import Results
import Synchronization
import TextFormatting

/// Machines that OpenSSH reaches. They share the folder, and have the suite's programs in the same place.
///
/// The shard's streams are files in the folder, so that it goes on when the connection or the coordinator ends.
final class SSHLauncher: ShardLauncher {
  private let settings: FleetSettings
  private let folder: FleetRunFolder
  private let children = Mutex<[ChildProcess]>([])

  init(_ settings: FleetSettings, _ folder: FleetRunFolder) {
    self.settings = settings
    self.folder = folder
  }

  private func host(of shard: Int) -> String { settings.hosts[shard % settings.hosts.count] }

  func launch() async throws(FleetFailure) {
    for shard in 0..<settings.shards {
      let words =
        ["\(settings.programs)/\(settings.tool)"]
        + folder.arguments(settings, place: "\(shard)/\(settings.shards)", results: folder.results(of: shard))
      let files = [folder.standardOutput(of: shard), folder.standardError(of: shard), folder.exit(of: shard)]
        .map { ShellWords.joined([$0]) }
      let command =
        "\(ShellWords.joined(words)) </dev/null >\(files[0]) 2>\(files[1]); s=$?; echo $s >\(files[2]); exit $s"
      var options = ["-o", "BatchMode=yes", "-o", "ConnectTimeout=15", "-o", "ServerAliveInterval=15", "-T"]
      if let file = settings.sshConfiguration { options += ["-F", file] }
      let request = ProcessRequest(
        executable: "ssh", arguments: options + ["--", host(of: shard), command], standardInput: .null,
        standardOutput: .null, standardError: .inherit)
      do throws(SpawnError) {
        let child = try await ProcessKeeper.shared.spawn(request)
        children.withLock { $0.append(child) }
      } catch {
        throw FleetFailure("shard \(shard) could not be started by ssh: \(error)")
      }
    }
  }

  func end(of shard: Int) async -> ShardEnd? {
    let child = children.withLock { shard < $0.count ? $0[shard] : nil }
    guard let child else { return .lost("it was not started") }
    switch child.exitStatus {
    case nil: return nil
    // OpenSSH's own status; no tool of the suite has it.
    case .exited(255)?: return .lost("ssh to \(PlainText.line(host(of: shard))) failed or was cut")
    case .exited(let status)?: return .exited(status)
    case .signaled(let number)?: return .lost("signal \(number) ended its ssh")
    case .unknown?: return .lost("the status of its ssh is unknown")
    }
  }

  /// Without a terminal ssh passes no signal on: the shared folder tells the shards.
  func signal(_ number: Int32) {}

  func kill() async { for child in children.withLock({ $0 }) { child.signal(SIGKILL) } }
}

/// An array of jobs of Slurm, by a batch script that is kept beside the results.
final class SlurmLauncher: ShardLauncher {
  private struct State {
    var job: String?
    /// When Slurm was asked for the tasks of the array that it still has.
    var askedAt: Instant?
    /// How often in a row a task was not among them.
    var absences: [Int: Int] = [:]
  }

  private let settings: FleetSettings
  private let folder: FleetRunFolder
  private let state = Mutex(State())

  private static let askInterval: Nanoseconds = .seconds(1)
  /// How often a task has to be absent: its status may come a little later, through a file server.
  private static let absencesBeforeLost = 5

  init(_ settings: FleetSettings, _ folder: FleetRunFolder) {
    self.settings = settings
    self.folder = folder
  }

  private var script: String { "\(folder.path)/fleet.sbatch" }

  /// The batch script: each task of the array is a shard.
  var text: String {
    let task = "$SLURM_ARRAY_TASK_ID"
    let words =
      ["\(settings.programs)/\(settings.tool)"]
      + folder.arguments(settings, place: "auto", results: "")
    // The folder of the results has the task's number, which the shell fills in.
    let command = words.map { $0.isEmpty ? "\"$results\"" : ShellWords.joined([$0]) }.joined(separator: " ")
    let shards = ShellWords.joined(["\(folder.path)/shards"])
    let own = [
      "--job-name=infrabench-fleet", "--array=0-\(settings.shards - 1)", "--ntasks=1", "--no-requeue",
      "--output=\(folder.path)/shards/%a.out", "--error=\(folder.path)/shards/%a.err",
    ]
    return """
      #!/bin/sh
      \((own + settings.sbatchOptions).map { "#SBATCH \($0)" }.joined(separator: "\n"))
      results=\(shards)/\(task)
      \(command)
      status=$?
      echo $status >"$results.exit"
      exit $status

      """
  }

  func launch() async throws(FleetFailure) {
    do throws(ResultWriteError) { try ResultWriter.replace(script, with: text) } catch {
      throw FleetFailure("the batch script could not be written: \(error)")
    }
    let answer = await Self.run("sbatch", ["--parsable", script])
    switch answer {
    case .success(let output):
      // `123` or `123;cluster`
      let job = String(output.prefix { $0.isNumber })
      guard !job.isEmpty else { throw FleetFailure("sbatch gave no number of a job: '\(PlainText.line(output))'") }
      state.withLock { $0.job = job }
    case .failure(let failure): throw FleetFailure("sbatch could not submit '\(script)': \(failure.sentences[0])")
    }
  }

  func end(of shard: Int) async -> ShardEnd? {
    if let status = exitStatus(of: shard) { return .exited(status) }
    guard let job = state.withLock({ $0.job }) else { return .lost("it was not submitted") }
    let now = MonotonicClock.now()
    if state.withLock({ state in state.askedAt.map { now.elapsed(since: $0) >= Self.askInterval } ?? true }) {
      let answer = await Self.run("squeue", ["--noheader", "--array", "--jobs", job, "--format=%K"])
      // Slurm forgets jobs that have ended, and refuses their numbers.
      let tasks = (try? answer.get()).map { Set($0.split(whereSeparator: \.isWhitespace).compactMap { Int($0) }) } ?? []
      state.withLock { state in
        state.askedAt = now
        for shard in 0..<settings.shards {
          state.absences[shard] = tasks.contains(shard) ? 0 : state.absences[shard, default: 0] + 1
        }
      }
    }
    guard state.withLock({ $0.absences[shard] ?? 0 }) >= Self.absencesBeforeLost, exitStatus(of: shard) == nil else {
      return nil
    }
    return .lost("Slurm has ended it without a status (see sacct)")
  }

  private func exitStatus(of shard: Int) -> Int32? {
    // Its folder is listed, as names that were not there are remembered by clients of NFS.
    guard folder.shared.names(in: "shards").contains("\(shard).exit") else { return nil }
    return folder.shared.text(of: "shards/\(shard).exit").flatMap { Int32($0.filter { !$0.isWhitespace }) }
  }

  /// The shared folder tells the shards; those that wait in the queue are taken out of it.
  func signal(_ number: Int32) {
    guard let job = state.withLock({ $0.job }) else { return }
    Task { _ = await Self.run("scancel", ["--state=PENDING", job]) }
  }

  func kill() async {
    guard let job = state.withLock({ $0.job }) else { return }
    _ = await Self.run("scancel", [job])
  }

  private static func run(_ program: String, _ arguments: [String]) async -> Result<String, FleetFailure> {
    let request = ProcessRequest(executable: program, arguments: arguments, standardInput: .null)
    // The coordinator's own end must not cut off a question.
    let result = await Task { await BoundedProcess.run(request, timeout: .seconds(30), maximumBytes: 1 << 20) }.value
    switch result {
    case .success(let output) where output.status == .exited(0):
      return .success(String(decoding: output.standardOutput, as: UTF8.self))
    case .success(let output):
      let words = PlainText.line(String(decoding: output.standardError, as: UTF8.self))
      return .failure(FleetFailure("\(output.status)\(words.isEmpty ? "" : ": \(words)")"))
    case .failure(let failure): return .failure(FleetFailure("\(failure)"))
    }
  }
}
