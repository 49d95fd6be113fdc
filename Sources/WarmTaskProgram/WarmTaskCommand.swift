package import ArgumentParser
import FoundationEssentials
import Gateway
import Glibc
import Latency
import NIOPosix
import ProcessControl
import Transport
import WarmTask

/// `warm-task`: the agent in a container as a program.
package struct WarmTaskCommand: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "warm-task",
    abstract: "Keeps warm tasks at a session gateway, and serves the users they are given to.",
    discussion: """
      EXAMPLES
        Five tasks at a local gateway, each user served by session-stand-in:
          warm-task --gateway-url ws://localhost:5174 --count 5 --workspace-root /mnt/efs
        The same with a program of your own, ready with its first line of output:
          warm-task --gateway-url ws://localhost:5174 --command 'optima headless'
        In a container that is one task: GATEWAY_WS_URL, EFS_MOUNT_PATH and ENVIRONMENT say the rest:
          warm-task --once

      EXIT STATUS
        0 the tasks lived their lives · 1 a single life failed · 64 wrong usage · 129/130/131/143 interrupted
      """,
    version: "0.2.0")

  @OptionGroup var options: WarmTaskOptions

  package init() {}

  package mutating func run() async throws {
    FileDescriptorLimit.raise()
    let plan = try options.plan(
      environment: ProcessInfo.processInfo.environment, executable: CommandLine.arguments.first ?? "warm-task")
    let ending = await WarmTaskRun(plan: plan, loop: MultiThreadedEventLoopGroup.singleton.next()).untilTheEnd()
    if ending.exitCode != 0 { throw ExitCode(ending.exitCode) }
  }
}

/// The command line's options. Values are read as text, so that all wrong ones are reported together.
struct WarmTaskOptions: ParsableArguments {
  @Option(help: "The gateway: ws, wss, http or https (GATEWAY_WS_URL).") var gatewayUrl: String?
  @Option(help: "How many tasks to keep at the gateway, 1 to 100000 (default: 1).") var count: String?
  @Option(help: "Be this one task: one life, then exit.") var taskId: String?
  @Flag(help: "One life per task: those that end are not replaced.") var once = false
  @Option(help: "The shared file system's directory (EFS_MOUNT_PATH). Without it no user directories are made.")
  var workspaceRoot: String?
  @Option(help: "What to run for a user; no shell is involved (default: session-stand-in beside this program).")
  var command: String?
  @Flag(help: "Run no program at all: an echo in memory, for thousands of tasks.") var inline = false
  @Option(help: "How long the stand-in takes to start, such as 250ms.") var startupDelay: String?
  @Option(help: "Sent with every upgrade, 'Name: value'; repeatable.") var header: [String] = []
  @Option(help: "PEM certificates to trust instead of the system's roots.") var caFile: String?
  @Option(help: "A client certificate for a gateway that asks for one: PEM, its chain behind it. With --key.")
  var cert: String?
  @Option(help: "The private key of --cert: PEM, not encrypted.") var key: String?
  @Option(
    help: "As root: the uids of which the gateway names one for each user's program and files, such as 10000-19999.")
  var userIds: String?
  @Flag(help: "End when standard input reaches its end.") var lifeline = false
}

/// The checked settings of a run.
struct WarmTaskPlan {
  var configuration: WarmTaskConfiguration
  var count: Int
  var taskId: String?
  /// Whether a task that ends is not replaced.
  var isSingleLife: Bool
  var hasLifeline: Bool
}

extension WarmTaskOptions {
  /// Checks every value before anything is started.
  ///
  /// - Throws: `ValidationError` (exit status 64) with one line for each wrong value.
  func plan(environment: [String: String], executable: String) throws -> WarmTaskPlan {
    var problems: [String] = []
    func checked<T>(_ body: () throws -> T) -> T? {
      do { return try body() } catch {
        problems.append("\(error)")
        return nil
      }
    }
    if let mode = environment["WARM_POOL_MODE"], !["1", "true", "yes"].contains(mode.lowercased()) {
      problems.append("WARM_POOL_MODE is '\(mode)': this agent only lives in a warm pool; set it to true or remove it")
    }
    let endpoint = checked { try gateway(environment) }
    let tasks = checked { try number(count, of: "--count", in: 1...100_000) ?? 1 }
    if let taskId {
      if !UserID.isValid(taskId) { problems.append("--task-id '\(taskId)': it is \(UserID.rule)") }
      if let tasks, tasks != 1 { problems.append("--task-id names one task: leave --count out") }
    }
    let root = checked { try workspace(environment) }
    let program = checked { try userProgram(executable: executable) }
    let headers = header.compactMap { text in checked { try Self.field(text) } }
    let uids = checked { try users() }
    let isSecure = endpoint?.isSecure
    let tls = checked { try self.tls(isSecure: isSecure) }
    let name = environment["ENVIRONMENT"].flatMap { $0.isEmpty ? nil : $0 } ?? "dev"
    if !UserID.isValid(name) { problems.append("ENVIRONMENT '\(name)' becomes a directory: it is \(UserID.rule)") }

    guard problems.isEmpty, let endpoint, let tasks, let root, let program, let tls, let uids else {
      throw ValidationError(problems.joined(separator: "\n       "))
    }
    var configuration = WarmTaskConfiguration(gateway: endpoint, program: program, workspaceRoot: root)
    configuration.headers = headers
    configuration.environmentName = name
    configuration.tls = tls
    configuration.userIDs = uids
    return WarmTaskPlan(
      configuration: configuration, count: tasks, taskId: taskId, isSingleLife: once || taskId != nil,
      hasLifeline: lifeline)
  }

  private func gateway(_ environment: [String: String]) throws -> Endpoint {
    guard let text = gatewayUrl ?? environment["GATEWAY_WS_URL"] else {
      throw ValidationError("no gateway: give --gateway-url ws://host:port, or set GATEWAY_WS_URL")
    }
    return try Endpoint(parsing: text)
  }

  /// The TLS settings; nil for a gateway without TLS. `isSecure` is nil where the gateway's URL is wrong.
  private func tls(isSecure: Bool?) throws -> TLSClient? {
    let given = [("--ca-file", caFile), ("--cert", cert), ("--key", key)]
    if isSecure == false, let option = given.first(where: { $1 != nil }) {
      throw ValidationError("\(option.0): the gateway's URL is neither wss nor https")
    }
    let certificate: ClientCertificate?
    switch (cert, key) {
    case (nil, nil): certificate = nil
    case (let cert?, let key?): certificate = try ClientCertificate(certificateFile: cert, keyFile: key)
    case (_?, nil): throw ValidationError("--cert: give the certificate's private key with --key")
    case (nil, _?): throw ValidationError("--key: give the certificate that it belongs to with --cert")
    }
    guard caFile != nil || isSecure == true else { return nil }
    do throws(TransportError) {
      return try TLSClient(caFile: caFile, certificate: certificate)
    } catch {
      throw ValidationError("--ca-file: \(error.message)")
    }
  }

  /// The uids of users' programs; nil: the agent's own.
  private func users() throws -> UserIDRange? {
    guard let userIds else { return nil }
    guard let range = UserIDRange(userIds) else {
      throw ValidationError("--user-ids '\(userIds)': it is \(UserIDRange.rule)")
    }
    if let refusal = range.refusal { throw ValidationError("--user-ids: \(refusal)") }
    guard !inline else { throw ValidationError("--user-ids: --inline runs no program") }
    return range
  }

  private func number(_ text: String?, of option: String, in range: ClosedRange<Int>) throws -> Int? {
    guard let text else { return nil }
    guard let number = Int(text), range.contains(number) else {
      throw ValidationError("\(option) '\(text)': it is a number from \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }

  /// The workspace root, checked for existence; nil without one.
  private func workspace(_ environment: [String: String]) throws -> String? {
    guard var path = workspaceRoot ?? environment["EFS_MOUNT_PATH"] else { return nil }
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    var isDirectory = false
    guard path.hasPrefix("/"), FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory), isDirectory
    else { throw ValidationError("--workspace-root '\(path)': it is the absolute path of a directory that exists") }
    return path
  }

  private func userProgram(executable: String) throws -> UserProgram {
    guard !inline || command == nil else { throw ValidationError("--inline runs no program: leave --command out") }
    guard command == nil || startupDelay == nil else {
      throw ValidationError("--startup-delay is the stand-in's: leave it out with --command")
    }
    if let command {
      do { return .command(try ShellWords.split(command)) } catch { throw ValidationError("--command: \(error)") }
    }
    let delay = try startupDelay.map(Self.startupDelay) ?? .zero
    if inline { return .inline(startDelay: delay) }
    let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? executable
    let path = (own.split(separator: "/", omittingEmptySubsequences: false).dropLast() + ["session-stand-in"])
      .joined(separator: "/")
    guard FileManager.default.isExecutableFile(atPath: path) else {
      throw ValidationError("there is no session-stand-in beside this program: build it, or give --command")
    }
    return .standIn(path: path, startDelay: delay)
  }

  /// A header field. Errors do not repeat its value, which may be a secret.
  private static func field(_ text: String) throws -> (String, String) {
    guard let colon = text.firstIndex(of: ":"), colon > text.startIndex else {
      throw ValidationError("a --header is written 'Name: value'")
    }
    let (name, value) = (String(text[..<colon]), String(text[colon...].dropFirst().drop { $0 == " " }))
    if let problem = UpgradeRequest.problem(ofHeader: name, value) { throw ValidationError("--header: \(problem)") }
    return (name, value)
  }

  private static func startupDelay(_ text: String) throws -> Nanoseconds {
    if let delay = DurationText.parse(text, units: [.ms, .s, .m, .h], upTo: .seconds(3600)) { return delay }
    throw ValidationError("--startup-delay '\(text)': it is a duration up to 1h, such as 250ms or 1.5s")
  }
}
