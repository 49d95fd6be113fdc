import Glibc
import Latency
import NIOCore
import NIOPosix
import ProcessControl
import Transport

/// A real process: the agent's event loop handles its standard streams, the process keeper its start and its end.
///
/// The process leads a group of its own, dies with this process (`PR_SET_PDEATHSIG`), and its group ends with it.
final class CommandProcess: UserProcess {
  /// The bytes that may wait for a program that does not read its input; beyond it the socket is not read either.
  static let maximumPendingInput = 1 << 20
  /// The time in which output may still come, after the program's end, from a pipe that another process holds open.
  private static let drainBound = TimeAmount.seconds(1)

  private let request: ProcessRequest
  private let loop: any EventLoop
  private let maximumLineLength: Int
  private let stopGrace: Nanoseconds
  private let tell: (UserProcessEvent) -> Void

  private var child: ChildProcess?
  private var input: (any Channel)?
  private var output: (any Channel)?
  private var pendingInput = 0
  private var isStopping = false
  private var killTimer: Scheduled<Void>?

  init(
    _ request: ProcessRequest, on loop: any EventLoop, maximumLineLength: Int, stopGrace: Nanoseconds,
    tell: @escaping (UserProcessEvent) -> Void
  ) {
    self.request = request
    self.loop = loop
    self.maximumLineLength = maximumLineLength
    self.stopGrace = stopGrace
    self.tell = tell
  }

  func start() {
    let me = NIOLoopBound(self, eventLoop: loop)
    let loop = loop
    ProcessKeeper.shared.spawn(request) { result in
      loop.execute { me.value.spawned(result) }
    }
  }

  var hasRoomForInput: Bool { pendingInput < Self.maximumPendingInput }

  func write(line: String) -> Bool {
    guard let input, input.isActive else { return false }
    var bytes = input.allocator.buffer(capacity: line.utf8.count + 1)
    bytes.writeString(line)
    bytes.writeInteger(UInt8(ascii: "\n"))
    let count = bytes.readableBytes
    pendingInput += count
    input.writeAndFlush(bytes).assumeIsolated().whenComplete { _ in
      let hadRoom = self.hasRoomForInput
      self.pendingInput -= count
      if !hadRoom, self.hasRoomForInput { self.tell(.roomForInput) }
    }
    return true
  }

  func readMore() { output?.read() }

  func stop() {
    guard !isStopping else { return }
    isStopping = true
    if let child { end(child) }
  }

  private func spawned(_ result: Result<ChildProcess, SpawnError>) {
    switch result {
    case .failure(let error): tell(.failed(error.description))
    case .success(let child):
      self.child = child
      let me = NIOLoopBound(self, eventLoop: loop)
      let loop = loop
      input = open(child.standardInput, isInput: true) { _ in }
      output = open(child.standardOutput, isInput: false) { channel in
        try channel.pipeline.syncOperations.addHandler(
          LineReader(maximumLength: me.value.maximumLineLength) { lines, at in
            me.value.tell(.lines(lines, at: at))
          })
      }
      _ = open(child.standardError, isInput: false) { channel in
        try channel.pipeline.syncOperations.addHandler(ErrorOutput.reader(on: channel))
      }
      if isStopping {
        end(child)
      } else {
        tell(.started(pid: child.pid, at: child.spawnedAt))
      }
      child.whenEnded { status in loop.execute { me.value.hasEnded(status) } }
    }
  }

  /// A channel over the agent's end of a pipe. On a failure the descriptor is closed, and the program sees the end of
  /// the pipe.
  private func open(
    _ descriptor: OwnedDescriptor?, isInput: Bool, configure: @escaping @Sendable (any Channel) throws -> Void
  ) -> (any Channel)? {
    guard let raw = descriptor?.release() else { return nil }
    let channel = NIOLoopBoundBox<(any Channel)?>(nil, eventLoop: loop)
    let bootstrap = NIOPipeBootstrap(group: loop)
      .channelOption(.autoRead, value: false)
      .channelInitializer { made in
        channel.value = made
        return made.eventLoop.makeCompletedFuture { try configure(made) }
      }
    let opened =
      isInput
      ? bootstrap.takingOwnershipOfDescriptor(output: raw) : bootstrap.takingOwnershipOfDescriptor(input: raw)
    opened.whenFailure { _ in _ = close(raw) }
    return channel.value
  }

  /// Closes the input, sends SIGTERM to the group, and SIGKILL if the process still exists after the grace.
  private func end(_ child: ChildProcess) {
    input?.close(promise: nil)
    child.signalGroup(SIGTERM)
    killTimer = loop.scheduleTask(in: TimeAmount(stopGrace)) { _ = child.signalGroup(SIGKILL) }
    // The agent reads no more lines, but the output is drained: a program that writes must not block on a full pipe.
    output?.setOption(.autoRead, value: true).whenFailure { _ in }
  }

  /// Reports the end only after the end of the output, so that no line is lost.
  private func hasEnded(_ status: ExitStatus) {
    killTimer?.cancel()
    input?.close(promise: nil)
    guard let output else { return tell(.ended(status)) }
    let timer = loop.scheduleTask(in: Self.drainBound) { output.close(promise: nil) }
    output.closeFuture.assumeIsolated().whenComplete { _ in
      timer.cancel()
      self.tell(.ended(status))
    }
  }
}

/// Copies the standard error of users' programs to the agent's own, line by line, each cut at a bound.
enum ErrorOutput {
  static let maximumLineLength = 4096
  /// Writing to a terminal or a full pipe blocks, so an event loop must not do it.
  private static let writer: NIOThreadPool = {
    let pool = NIOThreadPool(numberOfThreads: 1)
    pool.start()
    return pool
  }()

  /// A reader that reads the next lines once the present ones have been written.
  static func reader(on channel: any Channel) -> LineReader {
    LineReader(maximumLength: maximumLineLength) { lines, _ in
      let text = lines.map { $0.text + "\n" }.joined()
      writer.submit { state in
        guard case .active = state else { return }
        write(text)
        channel.eventLoop.execute { channel.read() }
      }
    }
  }

  private static func write(_ text: String) {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
      guard count > 0 || errno == EINTR else { return }
      rest = rest.dropFirst(max(0, count))
    }
  }
}
