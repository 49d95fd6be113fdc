import Glibc
public import Latency
import UnixSignals

/// Decides the meaning of a termination signal by the time at which it comes. Pure.
///
/// `timeout` and CI runners signal a program twice, once alone and once with its group. So a repetition within a second
/// counts as one signal.
public struct TerminationEscalation: Sendable {
  /// The meaning of a signal.
  public enum Meaning: Sendable, Equatable {
    /// The first signal: the program ends in order.
    case endsInOrder
    /// A repetition of the first signal.
    case isRepetition
    /// A second request: the program ends at once.
    case endsAtOnce
  }

  static let repetitionBound: Nanoseconds = .seconds(1)
  private var first: (signal: Int32, time: Instant)?

  /// Makes an object that has received no signal.
  public init() {}

  /// Takes a signal that came at `now`. SIGQUIT after another signal is never a repetition: users press its key when
  /// the first signal was not enough.
  public mutating func receive(_ signal: Int32, at now: Instant) -> Meaning {
    guard let first else {
      first = (signal, now)
      return .endsInOrder
    }
    let isStronger = signal == SIGQUIT && first.signal != SIGQUIT
    return !isStronger && now < first.time + Self.repetitionBound ? .isRepetition : .endsAtOnce
  }
}

/// The signals that ask a process to end: SIGTERM, and those of SIGHUP, SIGINT and SIGQUIT that are not
/// ``TerminationSignals/ignoredAtStart``.
public struct TerminationSignals: Sendable {
  private let signals: UnixSignalsSequence

  /// The signals that were ignored when the process was started, and stay ignored: SIGHUP under `nohup`, SIGINT and
  /// SIGQUIT in a script's background job. SIGTERM is never among them, because it is always sent on purpose.
  ///
  /// The set is read at its first use, which must come before any change of a signal's action.
  public static let ignoredAtStart = Set(
    [SIGHUP, SIGINT, SIGQUIT].filter { number in
      var action = sigaction()
      sigaction(number, nil, &action)
      return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == Int(bitPattern: 1)
    })

  /// Takes the signals over: from here on they no longer end the process by themselves.
  public static func trap() async -> TerminationSignals {
    let ignored = ignoredAtStart
    let all: [UnixSignal] = [.sigterm, .sighup, .sigint, .sigquit]
    return TerminationSignals(
      signals: await UnixSignalsSequence(trapping: all.filter { !ignored.contains($0.rawValue) }))
  }

  /// Calls `first` with the number of the first signal. A later signal that is no repetition ends the process at once,
  /// with the exit status 128 plus its number. Returns when its task is cancelled.
  ///
  /// - Parameter farewell: Gives the lines that are written to standard error at that end.
  public func watch(farewell: @Sendable () -> String, _ first: @Sendable (Int32) -> Void) async {
    var order = TerminationEscalation()
    for await signal in signals {
      switch order.receive(signal.rawValue, at: MonotonicClock.now()) {
      case .endsInOrder: first(signal.rawValue)
      case .isRepetition: break
      case .endsAtOnce: Self.endAtOnce(by: signal.rawValue, saying: farewell())
      }
    }
  }

  /// Calls `body` with each signal's number, until the task is cancelled.
  public func forEach(_ body: @Sendable (Int32) -> Void) async {
    for await signal in signals { body(signal.rawValue) }
  }

  /// A stream of the first signal's number. Later signals are then watched for as long as the process lives.
  public func first(farewell: String) -> AsyncStream<Int32> {
    AsyncStream { continuation in
      Task { await watch(farewell: { farewell }) { continuation.yield($0) } }
    }
  }

  /// Ends the process without waiting for anything, not even for a blocked standard error.
  public static func endAtOnce(by number: Int32, saying text: String) -> Never {
    var errors = pollfd(fd: STDERR_FILENO, events: Int16(POLLOUT), revents: 0)
    if poll(&errors, 1, 0) == 1, errors.revents & Int16(POLLOUT) != 0 {
      let bytes = Array(text.utf8)
      _ = write(STDERR_FILENO, bytes, bytes.count)
    }
    _exit(128 + number)
  }

  /// For programs without clean-up: SIGQUIT ends them like the other signals do, without the long backtrace that
  /// Swift's runtime would print.
  public static func quitWithoutBacktrace() {
    if !ignoredAtStart.contains(SIGQUIT) { signal(SIGQUIT, SIG_DFL) }
  }
}
