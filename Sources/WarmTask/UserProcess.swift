import Latency
import NIOCore
import ProcessControl
import Transport

/// What a user's program tells its agent, always on the agent's event loop.
enum UserProcessEvent {
  case started(pid: Int32?, at: Instant)
  /// It was not started; there will be no `ended`.
  case failed(String)
  /// Complete lines, without their ends, and the instant they were read. Nothing more comes until `readMore`.
  case lines([OutputLine], at: Instant)
  /// What waited for the program to read it is below the bound again.
  case roomForInput
  /// The last event: all output has been told.
  case ended(ExitStatus)
}

/// A user's running program, or its stand-in in memory. Confined to one event loop.
protocol UserProcess: AnyObject {
  /// Starts it, once.
  func start()
  /// Whether it keeps up with its input. Further lines are kept too, but the writer should wait for `roomForInput`.
  var hasRoomForInput: Bool { get }
  /// Hands it one line. False if it doesn't take it: its input is closed.
  func write(line: String) -> Bool
  /// Allows the next `lines`.
  func readMore()
  /// Ends it in order, then by force; `ended` tells when it is done.
  func stop()
}

/// No process at all: answers like `session-stand-in`, in memory.
final class InlineProcess: UserProcess {
  private let loop: any EventLoop
  private let startDelay: Nanoseconds
  private let tell: (UserProcessEvent) -> Void
  private var sequence = 0
  /// Input that came before the first line, which is to be the first; nil from then on.
  private var early: [String]? = []
  private var isOver = false

  init(on loop: any EventLoop, startDelay: Nanoseconds, tell: @escaping (UserProcessEvent) -> Void) {
    self.loop = loop
    self.startDelay = startDelay
    self.tell = tell
  }

  func start() {
    let startedAt = MonotonicClock.now()
    later {
      self.tell(.started(pid: nil, at: startedAt))
      self.loop.assumeIsolated().scheduleTask(in: TimeAmount(self.startDelay)) {
        self.say("session-stand-in ready")
        let lines = self.early ?? []
        self.early = nil
        for line in lines { self.answer(line) }
        self.tell(.roomForInput)
      }
    }
  }

  var hasRoomForInput: Bool { (early?.count ?? 0) < TaskLifecycle.maximumHeldInput }

  func write(line: String) -> Bool {
    guard !isOver else { return false }
    if early != nil { early?.append(line) } else { answer(line) }
    return true
  }

  private func answer(_ line: String) {
    sequence += 1
    let answer = "\(sequence) \(line)"
    later { self.say(answer) }
  }

  func readMore() {}

  func stop() {
    guard !isOver else { return }
    isOver = true
    later { self.tell(.ended(.exited(0))) }
  }

  private func say(_ line: String) {
    if !isOver { tell(.lines([OutputLine(text: line)], at: MonotonicClock.now())) }
  }

  /// Never inside the caller's own turn, as with a real process.
  private func later(_ body: @escaping () -> Void) { loop.assumeIsolated().execute(body) }
}
