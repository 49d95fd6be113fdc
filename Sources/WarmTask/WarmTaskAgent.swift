import FoundationEssentials
import Gateway
import Latency
public import NIOCore
import NIOPosix
import ProcessControl
import Transport
import UserWorkspace

/// The agent in a container: one warm task from its WebSocket to its end, on one event loop.
///
/// ``TaskLifecycle`` makes the decisions, and this actor executes its actions.
public actor WarmTaskAgent {
  /// The event loop is the executor, so that socket, process and timers need no hop.
  public nonisolated var unownedExecutor: UnownedSerialExecutor { loop.executor.asUnownedSerialExecutor() }

  private let taskId: String
  private let configuration: WarmTaskConfiguration
  private nonisolated let loop: any EventLoop
  private let observer: TaskObserver
  private let encoder = JSONEncoder()
  private let decoder = JSONDecoder()
  private var lifecycle: TaskLifecycle
  private var socket: WebSocketConnection?
  private var process: (any UserProcess)?
  private var processEnd: CheckedContinuation<Void, Never>?
  private var initTimer: Scheduled<Void>?
  private var outcome: TaskOutcome?
  private var socketIsOver = false
  private var waitingForRoom: CheckedContinuation<Void, Never>?

  private init(
    taskId: String, configuration: WarmTaskConfiguration, loop: any EventLoop, observer: @escaping TaskObserver
  ) {
    self.taskId = taskId
    self.configuration = configuration
    self.loop = loop
    self.observer = observer
    lifecycle = TaskLifecycle(
      settings: Assignment.Settings(
        workspaceRoot: configuration.workspaceRoot, environmentName: configuration.environmentName,
        initTimeout: configuration.initTimeout, userIDs: configuration.userIDs))
  }

  /// Runs one task: it connects, waits for a user, serves the user, and returns when its process has ended and its
  /// socket is closed. Cancellation ends it in order, within about 3 s.
  ///
  /// - Parameters:
  ///   - taskId: a part of the gateway's path: letters, digits, `.`, `_`, `-`.
  ///   - observer: takes the events, with instants taken on the loop.
  public static func run(
    taskId: String, configuration: WarmTaskConfiguration, on loop: any EventLoop,
    observer: @escaping TaskObserver = { _ in }
  ) async -> TaskOutcome {
    await WarmTaskAgent(taskId: taskId, configuration: configuration, loop: loop, observer: observer).live()
  }

  private func live() async -> TaskOutcome {
    // The threads start while the task waits, so that its user does not wait for them.
    WorkspaceThreads.start()
    do throws(WebSocketError) {
      let socket = try await WebSocketConnection.connect(
        to: configuration.gateway, addresses: configuration.addresses,
        turn: configuration.turn ?? configuration.addresses.nextTurn(),
        path: configuration.path(taskId), headers: configuration.headers, tls: configuration.tls, on: loop,
        limits: configuration.limits, timeout: configuration.connectTimeout)
      self.socket = socket
      report(.connected, at: socket.phases.upgraded)
    } catch {
      return end(with: error == .cancelled ? .stopped : .notConnected(error))
    }
    socket?.whenEnded {
      self.assumeIsolated { agent in
        agent.socketIsOver = true
        agent.resumeReceiving()
      }
    }
    let heartbeat = startHeartbeat()
    await listen()
    heartbeat.cancel()
    await stopProcess()
    await socket?.close()
    return end(with: outcome ?? .stopped)
  }

  /// Handles messages until either side ends the socket.
  private func listen() async {
    do throws(WebSocketError) {
      while let message = try await nextMessage() {
        guard let decoded = try? decoder.decode(GatewayToTask.self, from: Data(message.text.utf8)) else {
          handle(.malformedMessage)
          continue
        }
        handle(.message(decoded, at: message.receivedAt))
      }
      handle(.socketEnded(nil))
    } catch {
      handle(error == .cancelled ? .stopRequested : .socketEnded(error))
    }
  }

  /// Waits until the user's program keeps up with its input. Further input stays in the socket and slows the sender
  /// down, instead of being lost. While there is unread input, the end of the socket shows only when the next heartbeat
  /// fails.
  private func nextMessage() async throws(WebSocketError) -> WebSocketMessage? {
    while !maySendMore {
      guard !Task.isCancelled else { throw .cancelled }
      await withTaskCancellationHandler {
        await withCheckedContinuation { continuation in
          waitingForRoom = continuation
          // A cancellation before this line had no continuation to resume.
          if Task.isCancelled { resumeReceiving(evenWithoutRoom: true) }
        }
      } onCancel: {
        loop.execute { self.assumeIsolated { $0.resumeReceiving(evenWithoutRoom: true) } }
      }
    }
    return try await socket?.receive()
  }

  /// Whether to read the gateway's next message: there is room for it, or the task's life is at its end.
  private var maySendMore: Bool {
    socketIsOver || outcome != nil || (lifecycle.hasRoomForInput && process?.hasRoomForInput ?? true)
  }

  private func resumeReceiving(evenWithoutRoom: Bool = false) {
    guard maySendMore || evenWithoutRoom, let waiting = waitingForRoom else { return }
    waitingForRoom = nil
    waiting.resume()
  }

  private func handle(_ event: TaskLifecycle.Event) {
    for action in lifecycle.handle(event) { perform(action) }
    resumeReceiving()
  }

  private func perform(_ action: TaskLifecycle.Action) {
    switch action {
    case .startInitTimer: initTimer = schedule(after: configuration.initTimeout) { $0.handle(.initTimedOut) }
    case .stopInitTimer: initTimer?.cancel()
    case .prepareWorkspace(let assignment): prepareWorkspace(for: assignment)
    case .startProcess(let assignment):
      process = makeProcess(for: assignment)
      process?.start()
    case .writeInput(let line): if process?.write(line: line) != true { handle(.inputDropped) }
    case .send(let message): post(message)
    case .confirm(let message): post(message) { $0.report(.readySent, at: $1) }
    case .readOutput:
      // A WebSocket that does not take the output stops the program that writes it.
      afterWrites { $0.process?.readMore() }
    case .report(let kind, let at): report(kind, at: at)
    case .finish(let outcome, let closeCode):
      self.outcome = outcome
      process?.stop()
      socket?.startClose(code: closeCode)
    }
  }

  // MARK: Effects

  private func prepareWorkspace(for assignment: Assignment) {
    guard let root = configuration.workspaceRoot, let directory = assignment.directory else {
      return handle(.workspaceReady(at: MonotonicClock.now()))
    }
    WorkspaceThreads.prepare(directory, inside: root, token: assignment.token, owner: assignment.uid, on: loop) {
      failure in
      self.assumeIsolated { agent in
        agent.handle(failure.map { .workspaceFailed($0) } ?? .workspaceReady(at: MonotonicClock.now()))
      }
    }
  }

  private func makeProcess(for assignment: Assignment) -> any UserProcess {
    let tell: (UserProcessEvent) -> Void = { event in self.assumeIsolated { $0.handle(event) } }
    switch configuration.program {
    case .inline(let startDelay): return InlineProcess(on: loop, startDelay: startDelay, tell: tell)
    case .command(let words):
      var request = ProcessRequest(
        executable: words.first ?? "", arguments: Array(words.dropFirst()),
        environment: assignment.programEnvironment(inheriting: ProcessInfo.processInfo.environment),
        workingDirectory: assignment.directory, standardInput: .pipe, standardOutput: .pipe, standardError: .pipe,
        diesWithParent: true, endsGroupWithLeader: true)
      request.user = assignment.uid
      return CommandProcess(
        request, on: loop, maximumLineLength: configuration.maximumLineLength, stopGrace: configuration.stopGrace,
        tell: tell)
    }
  }

  private func handle(_ event: UserProcessEvent) {
    switch event {
    case .started(let pid, let at): handle(.processStarted(pid: pid, at: at))
    case .failed(let why):
      processIsGone()
      handle(.processFailed(why))
    case .roomForInput: resumeReceiving()
    case .lines(let lines, let at): handle(.processSaid(lines, at: at))
    case .ended(let status):
      processIsGone()
      handle(.processEnded(status))
    }
  }

  private func processIsGone() {
    process = nil
    processEnd?.resume()
    processEnd = nil
  }

  private func stopProcess() async {
    guard let process else { return }
    process.stop()
    await withCheckedContinuation { processEnd = $0 }
  }

  private func post(_ message: TaskToGateway, sent: (@Sendable (isolated WarmTaskAgent, Instant) -> Void)? = nil) {
    guard let data = try? encoder.encode(message) else { return }
    let text = String(decoding: data, as: UTF8.self)
    guard let sent else {
      socket?.post(text: text)
      return
    }
    socket?.post(text: text) { at, _ in self.assumeIsolated { sent($0, at) } }
  }

  /// Calls `body` when the socket can take more: at once, unless the kernel's buffer is full.
  private func afterWrites(_ body: @escaping @Sendable (isolated WarmTaskAgent) -> Void) {
    socket?.whenWritable { self.assumeIsolated { body($0) } }
  }

  private func startHeartbeat() -> RepeatedTask {
    let interval = TimeAmount(max(.milliseconds(1), configuration.heartbeatInterval))
    return loop.scheduleRepeatedTask(initialDelay: interval, delay: interval) { _ in
      self.assumeIsolated { $0.post(TaskToGateway(type: "heartbeat")) }
    }
  }

  private func schedule(
    after delay: Nanoseconds, _ body: @escaping @Sendable (isolated WarmTaskAgent) -> Void
  ) -> Scheduled<Void> {
    loop.scheduleTask(in: TimeAmount(delay)) { self.assumeIsolated { body($0) } }
  }

  private func report(_ kind: TaskEvent.Kind, at: Instant) {
    observer(TaskEvent(taskId: taskId, kind: kind, at: at))
  }

  private func end(with outcome: TaskOutcome) -> TaskOutcome {
    report(.ended(outcome), at: MonotonicClock.now())
    return outcome
  }
}

/// Creates workspaces on threads of their own: a call on a network file system blocks for tens of milliseconds, which
/// neither an event loop nor the cooperative pool can afford.
enum WorkspaceThreads {
  private static let pool: NIOThreadPool = {
    let pool = NIOThreadPool(numberOfThreads: 8)
    pool.start()
    return pool
  }()

  /// Starts the threads, unless they run already.
  static func start() {
    _ = pool
  }

  /// Prepares `directory` and reports on the event loop; nil is success.
  static func prepare(
    _ directory: String, inside root: String, token: String?, owner: UInt32? = nil, on loop: any EventLoop,
    done: @escaping @Sendable (_ failure: String?) -> Void
  ) {
    pool.submit { _ in
      var failure: String?
      do throws(WorkspaceError) {
        // A session without a token gets an empty JSON object, so that a program that reads the file finds valid JSON.
        _ = try WorkspacePreparation.prepare(
          directory: directory, inside: root, token: Array((token ?? "{}").utf8), owner: owner)
      } catch {
        failure = error.description
      }
      loop.execute { [failure] in done(failure) }
    }
  }
}
