import FoundationEssentials
import Glibc
import Latency
import ProcessControl
package import Transport

/// The embedded gateway as a child process, with event loops and tasks of its own: it shares nothing with the tool.
///
/// It ends when its standard input is closed, so that it cannot outlive this process, even a killed one.
package struct EmbeddedGatewayProcess: Sendable {
  /// The endpoint that it serves.
  package let endpoint: Endpoint
  /// Its ECS-compatible endpoint, and the key to it.
  package let ecs: ECSAccess
  /// Its control address; nil unless it was asked for.
  let control: FaultControl.Access?

  private let child: ChildProcess

  private struct ReadyLine: Decodable {
    var event: String
    var gatewayUrl: String
    var ecsEndpointUrl: String
    var cluster: String?
    var service: String?
    var taskDefinition: String?
    var region: String?
    var controlUrl: String?
    var controlToken: String?
  }

  private static let startBound: Nanoseconds = .seconds(15)
  private static let stopBound: Nanoseconds = .seconds(6)

  /// Starts the `mock-gateway` program from this tool's own directory, and waits until it serves.
  ///
  /// - Throws: when the program is missing, cannot be started, ends early, or does not serve within 15 s.
  package static func start(
    _ settings: EmbeddedGatewaySettings, arguments: [String] = []
  ) async throws(BenchmarkFailure) -> EmbeddedGatewayProcess {
    let key = ECSAccess.Key.random()
    var environment = ProcessInfo.processInfo.environment
    environment["INFRABENCH_ECS_ACCESS_KEY_ID"] = key.id
    environment["INFRABENCH_ECS_SECRET_ACCESS_KEY"] = key.secret
    // These variables describe a real pool; the embedded one is described by its flags alone.
    for name in ["ENABLE_WARM_POOL", "WARM_POOL_TARGET_SIZE", "WARM_POOL_MAX_SIZE", "GATEWAY_PORT", "EFS_MOUNT_PATH"] {
      environment[name] = nil
    }
    let path = try Executables.path(of: "mock-gateway")
    let child: ChildProcess
    do throws(SpawnError) {
      var request = ProcessRequest(
        executable: path, arguments: flags(settings) + arguments, environment: environment,
        standardInput: .pipe, standardOutput: .pipe)
      request.ignoredSignals = TerminationSignals.ignoredAtStart
      child = try await ProcessKeeper.shared.spawn(request)
    } catch {
      throw BenchmarkFailure("the embedded gateway could not be started: \(error)")
    }
    do throws(BenchmarkFailure) {
      return try await EmbeddedGatewayProcess(child, readyLine: readLine(of: child), key: key)
    } catch {
      child.signal(SIGTERM)
      // In a task of its own, so that an interrupted start waits for its child too.
      await Task { await end(child) }.value
      throw error
    }
  }

  private init(_ child: ChildProcess, readyLine: String, key: ECSAccess.Key) throws(BenchmarkFailure) {
    guard let ready = try? JSONDecoder().decode(ReadyLine.self, from: Data(readyLine.utf8)), ready.event == "ready",
      let endpoint = try? Endpoint(parsing: ready.gatewayUrl)
    else { throw BenchmarkFailure("the embedded gateway said something unexpected: \(readyLine.prefix(200))") }
    self.child = child
    self.endpoint = endpoint
    control =
      if let url = ready.controlUrl, let token = ready.controlToken, let endpoint = try? Endpoint(parsing: url) {
        FaultControl.Access(endpoint: endpoint, token: token)
      } else {
        nil
      }
    ecs = ECSAccess(
      endpointURL: ready.ecsEndpointUrl, key: key, cluster: ready.cluster, service: ready.service,
      taskDefinition: ready.taskDefinition, region: ready.region)
  }

  /// The process's id.
  package var process: Int32 { child.pid }

  /// The reason why it has ended by itself; nil while it runs.
  package var unexpectedEnd: String? { child.exitStatus.map { "the embedded gateway ended with \($0)" } }

  /// Ends the gateway and its tasks, and waits until it has ended; it is killed after 6 s.
  package func stop() async {
    await Self.end(child)
  }

  private static func end(_ child: ChildProcess) async {
    child.standardInput?.close()
    let deadline = MonotonicClock.now() + stopBound
    while child.exitStatus == nil, MonotonicClock.now() < deadline { try? await Task.sleep(for: .milliseconds(5)) }
    guard child.exitStatus == nil else { return }
    child.signalGroup(SIGKILL)
    _ = await child.waitForExit()
  }

  private static func flags(_ settings: EmbeddedGatewaySettings) -> [String] {
    [
      "--port", "0", "--pool-size", "\(settings.poolSize)",
      "--max-size", "\(settings.maxSize ?? settings.poolSize * 2)", "--max-tasks", "\(settings.maxTasks)",
      "--task-start-delay", DurationText.write(settings.taskStartDelay), "--lifeline",
    ] + (settings.replacesOnRelease ? ["--replace-on-release"] : [])
  }

  private static func readLine(of child: ChildProcess) async throws(BenchmarkFailure) -> String {
    guard let output = child.standardOutput else { throw BenchmarkFailure("the embedded gateway has no output") }
    _ = fcntl(output.descriptor, F_SETFL, O_NONBLOCK)
    var line: [UInt8] = []
    let deadline = MonotonicClock.now() + startBound
    while MonotonicClock.now() < deadline, line.count < 64 << 10 {
      var byte: UInt8 = 0
      switch read(output.descriptor, &byte, 1) {
      case 1 where byte == UInt8(ascii: "\n"): return String(decoding: line, as: UTF8.self)
      case 1: line.append(byte)
      case 0:
        let status = await child.waitForExit()
        throw BenchmarkFailure("the embedded gateway did not start: it ended with \(status)")
      default:
        guard (try? await Task.sleep(for: .milliseconds(1))) != nil else {
          throw BenchmarkFailure("interrupted while the embedded gateway was starting")
        }
      }
    }
    throw BenchmarkFailure("the embedded gateway did not say that it serves within \(startBound / .seconds(1)) s")
  }
}

/// The suite's own programs, which are in one directory.
package enum Executables {
  /// The path of the program `name` in this program's directory.
  ///
  /// - Throws: when it is not there or is not executable.
  package static func path(of name: String) throws(BenchmarkFailure) -> String {
    let path = "\(ownDirectory)/\(name)"
    guard access(path, X_OK) == 0 else {
      throw BenchmarkFailure(
        "'\(name)' is not beside this tool, in \(ownDirectory): build it with 'swift build -c release'")
    }
    return path
  }

  /// The directory of this program.
  static var ownDirectory: String {
    var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
    let count = readlink("/proc/self/exe", &buffer, buffer.count)
    guard count > 0 else { return "." }
    return String(decoding: buffer[..<count], as: UTF8.self).split(separator: "/", omittingEmptySubsequences: false)
      .dropLast().joined(separator: "/")
  }
}
