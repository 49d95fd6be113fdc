import CProcess
import Glibc
public import Latency

/// Runs a program to its end, within bounds of time and output, on a thread of its own.
public enum BoundedProcess {
  /// The outcome of a program that ended by itself.
  public struct Output: Sendable {
    /// How it ended.
    public var status: ExitStatus
    /// The whole standard output.
    public var standardOutput: [UInt8]
    /// The first 4,096 bytes of the standard error.
    public var standardError: [UInt8]
  }

  /// Why there is no output. Output that the program wrote before the failure is discarded.
  public enum Failure: Error, CustomStringConvertible {
    /// The program does not exist or cannot be executed.
    case notStarted(SpawnError)
    /// The program ran too long; it was killed with its process group.
    case timedOut(executable: String, after: Nanoseconds)
    /// The program wrote too much to its standard output; it was killed with its process group.
    case tooMuchOutput(executable: String, bytes: Int)
    /// No thread could be started to read the output, with the system's error number.
    case noThread(Int32)
    /// The waiting task was cancelled; the program was killed with its process group.
    case cancelled

    /// For people.
    public var description: String {
      switch self {
      case .notStarted(let error): "\(error)"
      case .timedOut(let executable, let limit): "'\(executable)' did not end within \(limit / .milliseconds(1)) ms"
      case .tooMuchOutput(let executable, let bytes): "'\(executable)' wrote more than \(bytes) bytes"
      case .noThread(let number): "its output cannot be read: \(String(cString: strerror(number)))"
      case .cancelled: "it was cancelled"
      }
    }
  }

  /// Runs a program without blocking a thread of Swift's pool.
  ///
  /// - Parameters:
  ///   - request: the program; its settings for standard output and standard error are replaced by pipes.
  ///   - timeout: the longest time of the whole run.
  ///   - maximumBytes: the largest standard output, in bytes.
  public static func run(
    _ request: ProcessRequest, timeout: Nanoseconds, maximumBytes: Int
  ) async -> Result<Output, Failure> {
    var request = request
    request.standardOutput = .pipe
    request.standardError = .pipe
    let child: ChildProcess
    do throws(SpawnError) {
      child = try await ProcessKeeper.shared.spawn(request)
    } catch {
      return .failure(.notStarted(error))
    }
    let executable = request.executable
    let result = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        ProcessReader.start(
          child, executable, timeout: timeout, maximumBytes: maximumBytes
        ) { continuation.resume(returning: $0) }
      }
    } onCancel: {
      child.signalGroup(SIGKILL)
    }
    // Kills the processes that a failed run left behind.
    if case .failure = result { child.signalGroup(SIGKILL) }
    return Task.isCancelled ? .failure(.cancelled) : result
  }
}

/// The thread's work: it reads both pipes until the program has ended. A grandchild that inherited the pipes may
/// outlive the program; it is not waited for.
private final class ProcessReader {
  private static let errorBytes = 4_096

  private let child: ChildProcess
  private let executable: String
  private let timeout: Nanoseconds
  private let maximumBytes: Int
  private let ended: OwnedDescriptor
  private let done: @Sendable (Result<BoundedProcess.Output, BoundedProcess.Failure>) -> Void
  private var output: [UInt8] = []
  private var errorOutput: [UInt8] = []

  static func start(
    _ child: ChildProcess, _ executable: String, timeout: Nanoseconds, maximumBytes: Int,
    done: @escaping @Sendable (Result<BoundedProcess.Output, BoundedProcess.Failure>) -> Void
  ) {
    let event = eventfd(0, CInt(EFD_CLOEXEC | EFD_NONBLOCK))
    guard event >= 0 else { return done(.failure(.noThread(errno))) }
    let ended = OwnedDescriptor(event)
    child.whenEnded { _ in
      var one: UInt64 = 1
      _ = write(ended.descriptor, &one, MemoryLayout<UInt64>.size)
    }
    let reader = Unmanaged.passRetained(
      ProcessReader(child, executable, timeout, maximumBytes, ended, done))
    var thread = pthread_t()
    let status = pthread_create(
      &thread, nil,
      { context in
        guard let context else { return nil }
        let reader = Unmanaged<ProcessReader>.fromOpaque(context).takeRetainedValue()
        reader.done(reader.read())
        return nil
      }, reader.toOpaque())
    guard status == 0 else {
      reader.release()
      return done(.failure(.noThread(status)))
    }
    pthread_detach(thread)
  }

  private init(
    _ child: ChildProcess, _ executable: String, _ timeout: Nanoseconds, _ maximumBytes: Int,
    _ ended: OwnedDescriptor,
    _ done: @escaping @Sendable (Result<BoundedProcess.Output, BoundedProcess.Failure>) -> Void
  ) {
    self.child = child
    self.executable = executable
    self.timeout = timeout
    self.maximumBytes = maximumBytes
    self.ended = ended
    self.done = done
  }

  private func read() -> Result<BoundedProcess.Output, BoundedProcess.Failure> {
    let pipes = [child.standardOutput?.descriptor ?? -1, child.standardError?.descriptor ?? -1]
    for pipe in pipes where pipe >= 0 { _ = fcntl(pipe, F_SETFL, fcntl(pipe, F_GETFL) | O_NONBLOCK) }
    var waits = (pipes + [ended.descriptor]).map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
    let deadline = MonotonicClock.now() + timeout
    while true {
      let now = MonotonicClock.now()
      guard now < deadline else { return .failure(.timedOut(executable: executable, after: timeout)) }
      _ = poll(&waits, nfds_t(waits.count), CInt(clamping: (deadline - now) / .milliseconds(1) + 1))
      // The end is checked before the pipes are read, so that the pipes hold everything the program wrote before its
      // end.
      let hasEnded = waits[2].revents != 0
      for index in 0..<2 where hasEnded || waits[index].revents != 0 {
        if !drain(pipes[index], isOutput: index == 0) { waits[index].fd = -1 }
      }
      guard output.count <= maximumBytes else {
        return .failure(.tooMuchOutput(executable: executable, bytes: maximumBytes))
      }
      if hasEnded {
        let status = child.exitStatus ?? .unknown
        return .success(BoundedProcess.Output(status: status, standardOutput: output, standardError: errorOutput))
      }
    }
  }

  /// - Returns: whether more bytes may come.
  private func drain(_ pipe: CInt, isOutput: Bool) -> Bool {
    var buffer = [UInt8](repeating: 0, count: 16 << 10)
    while output.count <= maximumBytes {
      let count = Glibc.read(pipe, &buffer, buffer.count)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return count < 0 && errno == EAGAIN }
      if isOutput {
        output += buffer.prefix(count)
      } else {
        errorOutput += buffer.prefix(min(count, ProcessReader.errorBytes - errorOutput.count))
        // A program that writes to its standard error all the time must not keep this loop from checking the time.
        return true
      }
    }
    return true
  }
}
