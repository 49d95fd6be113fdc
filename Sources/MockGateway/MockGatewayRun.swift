import AWS
import EmbeddedGateway
import FoundationEssentials
import Glibc
import NIOPosix
import ProcessControl
import Synchronization
import UserWorkspace

/// One run of the gateway, with its workspace and its tasks.
struct MockGatewayRun {
  let plan: MockGatewayPlan

  /// The first line on standard output, written when the gateway is ready.
  private struct Ready: Encodable {
    let event = "ready"
    let gatewayUrl: String
    let ecsEndpointUrl: String
    let profile: String
    let cluster: String
    let service: String
    let taskDefinition: String
    let region: String
    let workspaceRoot: String
    let accessKeyId: String?
    let secretAccessKey: String?
    let controlUrl: String?
    let controlToken: String?
  }

  /// Serves until a signal comes or the lifeline ends; returns the exit status.
  func untilTheEnd() async -> Int32 {
    // Signals are trapped before anything is created, so that an ordinary end by a signal cleans up.
    let signals = await TerminationSignals.trap().first(
      farewell: "mock-gateway: ended at once by a second signal: its tasks and workspaces may be left as they are\n")
    var configuration = plan.configuration
    configuration.limits.connections = Self.connections(
      within: FileDescriptorLimit.raise(), tasks: configuration.rules.maxTasks, areVirtual: plan.tasks.areVirtual)
    var temporaryRoot: String?
    defer { if let temporaryRoot { _ = WorkspaceTree.remove(temporaryRoot) } }
    do {
      if configuration.workspaceRoot.isEmpty {
        let root = try Self.makeTemporaryRoot()
        temporaryRoot = root
        // Users with a uid of their own pass through it to their directories, and cannot list it.
        if configuration.userIDs != nil { chmod(root, 0o711) }
        configuration.workspaceRoot = root
      }
      let log = try lifecycleLog()
      if let log { configuration.lifecycleSink = { log.write($0) } }
      let gateway = try await EmbeddedGateway.start(configuration, runner: runner(configuration))
      let result = announce(gateway, configuration) ? await end(signals) : 1
      await gateway.stop()
      await log?.flush()
      if let dropped = log?.dropped, dropped > 0 {
        Self.say("mock-gateway: \(dropped) lifecycle events were dropped: nobody read them fast enough")
      }
      return result
    } catch {
      Self.say("mock-gateway: \(explain(error))")
      return 1
    }
  }

  /// The most connections that the limit of open files allows, 20,000 at most. Beside its connection a task takes up to
  /// four files as a process (pipes and a pidfd), and one as a virtual task, its own end of the connection.
  static func connections(within limit: Int, tasks: Int, areVirtual: Bool = false) -> Int {
    min(20_000, max(16, limit - 64 - (areVirtual ? 1 : 4) * tasks))
  }

  private func runner(_ configuration: GatewayConfiguration) -> any TaskRunner {
    switch plan.tasks {
    case .none: return NoTasks()
    case .virtual(let program):
      return VirtualTaskRunner(
        program: program, workspaceRoot: configuration.workspaceRoot, environmentName: configuration.environment,
        userIDs: configuration.userIDs)
    case .processes(let warmTask, let arguments):
      return ProcessTaskRunner(
        executable: warmTask, arguments: arguments + ["--workspace-root", configuration.workspaceRoot],
        environment: Self.taskEnvironment(inheriting: ProcessInfo.processInfo.environment, configuration))
    }
  }

  /// The environment of a task, apart from the variables that its runner adds. A task runs its user's program, so it
  /// gets only what every program needs: this process's environment may hold keys and tokens.
  static func taskEnvironment(
    inheriting own: [String: String], _ configuration: GatewayConfiguration
  ) -> [String: String] {
    let inherited: Set = ["PATH", "LANG", "LC_ALL", "TERM", "TMPDIR", "TZ", "HOME", "LD_LIBRARY_PATH"]
    var environment = own.filter { inherited.contains($0.key) }
    environment["ENVIRONMENT"] = configuration.environment
    environment["EFS_MOUNT_PATH"] = configuration.workspaceRoot
    return environment
  }

  private func announce(_ gateway: EmbeddedGateway, _ configuration: GatewayConfiguration) -> Bool {
    let key = plan.printsCredentials ? configuration.ecsCredentials : nil
    let ready = Ready(
      gatewayUrl: gateway.url, ecsEndpointUrl: gateway.url,
      profile: configuration.product == nil ? "embedded" : "product", cluster: gateway.cluster,
      service: gateway.service, taskDefinition: gateway.taskDefinition, region: gateway.region,
      workspaceRoot: configuration.workspaceRoot,
      accessKeyId: key?.accessKeyID,
      secretAccessKey: key?.secretAccessKey, controlUrl: gateway.controlURL, controlToken: gateway.controlToken)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    guard let line = try? encoder.encode(ready) else { return false }
    return WholeWrite.write(Array(line) + [UInt8(ascii: "\n")], to: STDOUT_FILENO) == nil
  }

  private func end(_ signals: AsyncStream<Int32>) async -> Int32 {
    let end = FirstValue<Int32>()
    let hasLifeline = plan.hasLifeline
    if hasLifeline { Lifeline.watch { end.give(0) } }
    Task {
      for await signal in signals {
        // The holder of the lifeline may have got the signal too. It releases its tasks at this gateway before it
        // closes the lifeline.
        if hasLifeline { try? await Task.sleep(for: Lifeline.patience) }
        end.give(128 + signal)
      }
    }
    return await end.wait()
  }

  private func lifecycleLog() throws -> LineWriter? {
    let descriptor: Int32
    switch plan.lifecycle {
    case .none: return nil
    case .standardError: descriptor = STDERR_FILENO
    case .file(let path):
      descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
      guard descriptor >= 0 else { throw Failure("cannot open '\(path)': \(String(cString: strerror(errno)))") }
    }
    return LineWriter(to: descriptor)
  }

  private static func makeTemporaryRoot() throws -> String {
    let parent = ProcessInfo.processInfo.environment["TMPDIR"].flatMap { $0.isEmpty ? nil : $0 } ?? "/tmp"
    var template = Array("\(parent)/mock-gateway-XXXXXX".utf8CString)
    guard let path = mkdtemp(&template) else {
      throw Failure("cannot make a directory in '\(parent)': \(String(cString: strerror(errno)))")
    }
    return String(cString: path)
  }

  private func explain(_ error: any Error) -> String {
    let place = "\(plan.configuration.host):\(plan.configuration.port)"
    return switch EmbeddedGateway.systemError(of: error) {
    case EADDRINUSE: "\(place) is taken by another program: choose another --port, or 0 for a free one"
    case EADDRNOTAVAIL: "\(place) is no address of this machine: see --host"
    case EACCES: "no permission to listen on \(place): choose a --port above 1023"
    default: "\(error)"
    }
  }

  private static func say(_ text: String) { WholeWrite.write("\(text)\n".utf8, to: STDERR_FILENO) }

  private struct Failure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
  }
}

/// Writes lines to a file, a terminal or a pipe on a thread of its own, so that a slow reader never blocks the writer.
/// Lines beyond the bound are dropped and counted.
final class LineWriter: Sendable {
  private struct State {
    var waiting: [UInt8] = []
    var dropped = 0
    var isWriting = false
  }

  private let descriptor: Int32
  private let maximumWaiting: Int
  private let state = Mutex(State())
  private let thread = NIOThreadPool(numberOfThreads: 1)

  /// - Parameter maximumWaiting: the most bytes that wait to be written.
  init(to descriptor: Int32, maximumWaiting: Int = 4 << 20) {
    self.descriptor = descriptor
    self.maximumWaiting = maximumWaiting
    thread.start()
  }

  /// The number of dropped lines.
  var dropped: Int { state.withLock { $0.dropped } }

  /// Takes `line`, which has no line end, and returns at once.
  func write(_ line: String) {
    let mustStart = state.withLock { state in
      guard state.waiting.count + line.utf8.count < maximumWaiting else {
        state.dropped += 1
        return false
      }
      state.waiting += line.utf8
      state.waiting.append(UInt8(ascii: "\n"))
      defer { state.isWriting = true }
      return !state.isWriting
    }
    if mustStart { thread.submit { _ in self.writeAll() } }
  }

  /// Waits until all lines are written, but at most a second, because the reader may have ended or stopped.
  func flush() async {
    for _ in 0..<200 {
      if state.withLock({ !$0.isWriting }) { return }
      try? await Task.sleep(for: .milliseconds(5))
    }
  }

  private func writeAll() {
    while let bytes = next() { WholeWrite.write(bytes, to: descriptor) }
  }

  private func next() -> [UInt8]? {
    state.withLock { state in
      guard !state.waiting.isEmpty else {
        state.isWriting = false
        return nil
      }
      defer { state.waiting = [] }
      return state.waiting
    }
  }
}
