import Latency
import NIOCore
import ProcessControl
import Transport

/// An event of a user's program, reported on the agent's event loop.
enum UserProcessEvent {
  case started(pid: Int32?, at: Instant)
  /// The program could not be started; no `ended` follows.
  case failed(String)
  /// Complete lines, without their ends, and the instant at which they were read. No further lines come until
  /// `readMore`.
  case lines([OutputLine], at: Instant)
  /// The input that waits for the program is below the bound again.
  case roomForInput
  /// The last event: the program has ended, and all its output has been reported.
  case ended(ExitStatus)
}

/// A user's running program, or its stand-in in memory. Confined to one event loop.
protocol UserProcess: AnyObject {
  /// Starts the program; called once.
  func start()
  /// Whether the program keeps up with its input. Further lines are kept too, but the writer should wait for
  /// `roomForInput`.
  var hasRoomForInput: Bool { get }
  /// Passes one line to the program; false if its input is closed.
  func write(line: String) -> Bool
  /// Allows the next `lines` event.
  func readMore()
  /// Ends the program in order, then by force; `ended` reports the end.
  func stop()
}

/// A program without a process: it answers like `session-stand-in`, in memory.
final class InlineProcess: UserProcess {
  private let loop: any EventLoop
  private let startDelay: Nanoseconds
  private let tell: (UserProcessEvent) -> Void
  private var sequence = 0
  /// Input that came before the program's first line, which must precede all answers; nil after that line.
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

  /// Runs `body` in a later turn of the loop: a real process never reports within its caller's turn either.
  private func later(_ body: @escaping () -> Void) { loop.assumeIsolated().execute(body) }
}
