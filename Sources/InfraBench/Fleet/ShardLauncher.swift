import Glibc
import Latency
import ProcessControl
import Results
import Synchronization
import TextFormatting

/// Why a fleet could not be run, in sentences for people.
struct FleetFailure: Error, Sendable {
  var sentences: [String]

  init(_ sentences: String...) { self.sentences = sentences }
  init(all sentences: [String]) { self.sentences = sentences }
}

/// How a shard ended.
enum ShardEnd: Sendable, Equatable {
  case exited(Int32)
  /// It ended without a status; the sentence says how.
  case lost(String)

  /// Whether it may have a result that counts.
  var mayHaveResult: Bool {
    guard case .exited(let status) = self else { return false }
    return [ToolExit.pass.status, ToolExit.thresholdCrossed.status].contains(status) || ToolExit.isInterruption(status)
  }

  var words: String {
    switch self {
    case .exited(let status): "exit status \(status)"
    case .lost(let how): how
    }
  }
}

/// Starts shards somewhere, and tells how they end. A launcher carries no load itself: when it dies, its shards go on.
protocol ShardLauncher: Sendable {
  /// Starts all shards.
  func launch() async throws(FleetFailure)
  /// How a shard has ended; nil while it waits or runs.
  func end(of shard: Int) async -> ShardEnd?
  /// Passes a signal on, where that is possible: the shared folder tells all shards to stop anyway.
  func signal(_ number: Int32)
  /// Ends what is left.
  func kill() async
}

/// The files of one run of a fleet.
struct FleetRunFolder: Sendable {
  let path: String
  var shared: FleetFolder { FleetFolder(path: path) }

  func results(of shard: Int) -> String { "\(path)/shards/\(shard)" }
  func standardOutput(of shard: Int) -> String { "\(path)/shards/\(shard).out" }
  func standardError(of shard: Int) -> String { "\(path)/shards/\(shard).err" }
  /// The shard's exit status, where its machine is another one.
  func exit(of shard: Int) -> String { "\(path)/shards/\(shard).exit" }

  /// The arguments of a shard.
  ///
  /// - Parameter place: such as `0/4`.
  func arguments(_ settings: FleetSettings, place: String, results: String) -> [String] {
    settings.arguments + [
      "--shard", place, "--start-at", path, "--output-dir", results, "--format", "json", "--print", "json",
    ]
  }

  /// The last lines of a shard's standard error, for its failure.
  func lastWords(of shard: Int) -> String? {
    guard let contents = try? FileContents(standardError(of: shard), ordinaryOnly: true) else { return nil }
    let lines = String(decoding: contents.bytes.suffix(4096), as: UTF8.self).split(whereSeparator: \.isNewline)
    let line = lines.last { $0.hasPrefix("error: ") } ?? lines.last
    return line.map { PlainText.line(String($0.prefix(500))) }
  }
}

/// Processes on this machine.
final class LocalLauncher: ShardLauncher {
  private let settings: FleetSettings
  private let folder: FleetRunFolder
  private let environment: [String: String]
  private let children = Mutex<[ChildProcess]>([])

  init(_ settings: FleetSettings, _ folder: FleetRunFolder, environment: [String: String]) {
    self.settings = settings
    self.folder = folder
    self.environment = environment
  }

  func launch() async throws(FleetFailure) {
    for shard in 0..<settings.shards {
      let arguments = folder.arguments(
        settings, place: "\(shard)/\(settings.shards)", results: folder.results(of: shard))
      let request = ProcessRequest(
        executable: "\(settings.programs)/\(settings.tool)", arguments: arguments, environment: environment,
        standardInput: .null, standardOutput: try Self.file(folder.standardOutput(of: shard)),
        standardError: try Self.file(folder.standardError(of: shard)))
      do throws(SpawnError) {
        let child = try await ProcessKeeper.shared.spawn(request)
        children.withLock { $0.append(child) }
      } catch {
        throw FleetFailure("shard \(shard) could not be started: \(error)")
      }
    }
  }

  private static func file(_ path: String) throws(FleetFailure) -> ProcessRequest.Stream {
    let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard file >= 0 else { throw FleetFailure("'\(path)' can't be written: \(String(cString: strerror(errno)))") }
    return .descriptor(OwnedDescriptor(file))
  }

  func end(of shard: Int) async -> ShardEnd? {
    let child = children.withLock { shard < $0.count ? $0[shard] : nil }
    guard let child else { return .lost("it was not started") }
    switch child.exitStatus {
    case nil: return nil
    case .exited(let status)?: return .exited(status)
    case .signaled(let number)?: return .lost("signal \(number) ended it")
    case .unknown?: return .lost("its exit status is unknown")
    }
  }

  func signal(_ number: Int32) { for child in children.withLock({ $0 }) { child.signal(number) } }

  func kill() async { signal(SIGKILL) }
}
