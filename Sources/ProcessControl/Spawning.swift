import CProcess
import Glibc
import Latency

/// Starts one child: makes its standard streams, lends C strings to the shim, and closes our copies of the child's
/// ends.
enum Spawning {
  /// Starts the child and returns it with its pidfd, which the child object owns.
  static func start(_ request: ProcessRequest) throws(SpawnError) -> (child: ChildProcess, pidfd: CInt) {
    let input: Ends
    let output: Ends
    let error: Ends
    let reports: Ends?
    do {
      input = try Ends(request.standardInput, inherited: STDIN_FILENO, childReads: true)
      output = try Ends(request.standardOutput, inherited: STDOUT_FILENO, childReads: false)
      error = try Ends(request.standardError, inherited: STDERR_FILENO, childReads: false)
      reports = request.reports ? try Ends(.pipe, inherited: -1, childReads: false) : nil
    } catch {
      throw SpawnError(.descriptors, error.errno, request)
    }
    var child = cprocess_child()
    let given = [input, output, error].map(\.childDescriptor) + [reports?.childDescriptor ?? -1]
    let result = try spawn(request, given, into: &child)
    // Our copies of the child's ends must stay open until here. Then they must be closed, or the child would never read
    // an end of file.
    for ends in [input, output, error, reports] { ends?.closeChildEnd() }
    guard result == 0 else { throw SpawnError(SpawnError.Step(child.failed_step), result, request) }
    let isGuarded = request.diesWithParent && request.endsGroupWithLeader
    if isGuarded { ProcessGroupGuard.shared.add(child.pid) }
    let process = ChildProcess(
      pid: child.pid, pidfd: OwnedDescriptor(child.pidfd), spawnedAt: Instant(nanoseconds: child.spawned_at),
      endsGroupWithLeader: request.endsGroupWithLeader, isGuarded: isGuarded, standardInput: input.ours,
      standardOutput: output.ours, standardError: error.ours, reports: reports?.ours)
    return (process, child.pidfd)
  }

  /// - Parameter descriptors: the descriptors that become 0, 1, 2 and 3 of the child.
  private static func spawn(
    _ request: ProcessRequest, _ descriptors: [CInt], into child: inout cprocess_child
  ) throws(SpawnError) -> Int32 {
    let variables = request.environment.map { $0.map { "\($0.key)=\($0.value)" } }
    let texts = [request.executable] + request.arguments + (variables ?? []) + [request.workingDirectory ?? ""]
    guard !texts.contains(where: { $0.utf8.contains(0) }) else { throw SpawnError(.request, EINVAL, request) }

    let arguments = CStrings([request.executable] + request.arguments)
    let environment = variables.map { CStrings($0) }
    return request.executable.withCString { executable in
      let call = { (directory: UnsafePointer<CChar>?, child: inout cprocess_child) in
        var order = cprocess_request()
        order.executable = executable
        order.arguments = UnsafePointer(arguments.pointers)
        order.environment = UnsafePointer(environment?.pointers ?? environ)
        order.working_directory = directory
        order.standard_input = descriptors[0]
        order.standard_output = descriptors[1]
        order.standard_error = descriptors[2]
        order.reports = descriptors[3]
        order.dies_with_parent = request.diesWithParent
        order.user = request.user ?? 0
        order.open_files = FileDescriptorLimit.ofChildren
        for number in request.ignoredSignals where (1...63).contains(number) {
          order.ignored_signals |= 1 << UInt64(number)
        }
        return cprocess_spawn(&order, &child)
      }
      return withExtendedLifetime((arguments, environment)) {
        guard let directory = request.workingDirectory else { return call(nil, &child) }
        return directory.withCString { call($0, &child) }
      }
    }
  }
}

/// The two ends of one standard stream: the child's, and ours if it is a pipe.
private struct Ends {
  let childDescriptor: CInt
  let ours: OwnedDescriptor?
  private let childEnd: OwnedDescriptor?
  private let isCallers: Bool

  init(_ stream: ProcessRequest.Stream, inherited: CInt, childReads: Bool) throws(SystemError) {
    switch stream {
    case .inherit:
      (childDescriptor, ours, childEnd, isCallers) = (inherited, nil, nil, true)
    case .null:
      let null = try OwnedDescriptor.null()
      (childDescriptor, ours, childEnd, isCallers) = (null.descriptor, nil, null, false)
    case .pipe:
      let pipe = try OwnedDescriptor.pipe()
      let (theirs, ours) = childReads ? (pipe.read, pipe.write) : (pipe.write, pipe.read)
      (childDescriptor, self.ours, childEnd, isCallers) = (theirs.descriptor, ours, theirs, false)
    case .descriptor(let given):
      (childDescriptor, ours, childEnd, isCallers) = (given.descriptor, nil, given, true)
    }
  }

  func closeChildEnd() {
    if !isCallers { childEnd?.close() }
  }
}

/// A null-terminated vector of C strings for `exec`.
private final class CStrings {
  let pointers: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
  private let count: Int

  init(_ texts: [String]) {
    count = texts.count
    pointers = .allocate(capacity: count + 1)
    for (index, text) in texts.enumerated() { (pointers + index).initialize(to: strdup(text)) }
    (pointers + count).initialize(to: nil)
  }

  deinit {
    for index in 0..<count { free(pointers[index]) }
    pointers.deallocate()
  }
}

extension SpawnError {
  init(_ step: Step, _ errno: Int32, _ request: ProcessRequest) {
    _ = FileDescriptorLimit.isExceeded(errno: errno)
    self.init(
      step: step, errno: errno, executable: request.executable, workingDirectory: request.workingDirectory)
  }
}

extension SpawnError.Step {
  init(_ step: cprocess_step) {
    switch step {
    case cprocess_step_descriptors: self = .descriptors
    case cprocess_step_working_directory: self = .workingDirectory
    case cprocess_step_execute: self = .execute
    case cprocess_step_watch: self = .watch
    case cprocess_step_user: self = .user
    default: self = .fork
    }
  }
}

/// Why a child was not started. No process and no descriptor is left behind.
public struct SpawnError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The step that failed.
  public enum Step: Sendable, Equatable {
    /// The keeper's own thread or descriptors.
    case keeper
    /// Checking the request: a string contains a NUL.
    case request
    /// Making the pipes, or installing them as standard streams.
    case descriptors
    /// Making the process.
    case fork
    /// Entering the working directory.
    case workingDirectory
    /// Executing the program.
    case execute
    /// Watching for the child's end.
    case watch
    /// Becoming the requested user.
    case user
  }

  /// The step that failed.
  public let step: Step
  /// The system's error number.
  public let errno: Int32
  /// The program that was to be started.
  public let executable: String
  /// The requested working directory, if there was one.
  public let workingDirectory: String?

  /// Whether the executable, or the interpreter that its first line names, does not exist.
  public var isNotFound: Bool { step == .execute && errno == ENOENT }

  /// For people.
  public var description: String {
    let reason = String(cString: strerror(errno))
    return switch step {
    case .request: "cannot start '\(executable)': an argument, a variable or a path contains a NUL byte"
    case .workingDirectory: "cannot start '\(executable)' in '\(workingDirectory ?? "")': \(reason)"
    case .execute where isNotFound: "cannot start '\(executable)': no such program; give its path, or a name in PATH"
    case .execute: "cannot execute '\(executable)': \(reason)"
    case .user: "cannot start '\(executable)' under another user: \(reason); only root can"
    case .keeper, .descriptors, .fork, .watch: "cannot start '\(executable)': \(reason) (\(step))"
    }
  }
}
