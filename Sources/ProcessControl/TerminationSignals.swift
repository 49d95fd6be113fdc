import Glibc
public import Latency
import UnixSignals

/// What a signal that asks for the end means, by when it comes. Pure.
///
/// `timeout` and CI runners signal a program twice, once alone and once with its group: a repetition within a second is the
/// same signal.
public struct TerminationEscalation: Sendable {
  /// See ``TerminationEscalation/receive(_:at:)``.
  public enum Meaning: Sendable, Equatable {
    /// The first one: the program comes to its end in order.
    case endsInOrder
    /// The first one again.
    case isRepetition
    /// Somebody has waited long enough.
    case endsAtOnce
  }

  static let repetitionBound: Nanoseconds = .seconds(1)
  private var first: (signal: Int32, time: Instant)?

  /// Nothing has come yet.
  public init() {}

  /// Takes a signal that came at `now`. SIGQUIT after another signal is never a repetition: it is the key that people
  /// press when the first one was not enough.
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

  /// What was ignored when the process was started, and stays so: SIGHUP under `nohup`, SIGINT and SIGQUIT in a script's
  /// background job. SIGTERM is never among them: nobody sends it by the way.
  ///
  /// Found out at the first look, which has to come before anything else changes a signal's action.
  public static let ignoredAtStart = Set(
    [SIGHUP, SIGINT, SIGQUIT].filter { number in
      var action = sigaction()
      sigaction(number, nil, &action)
      return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == Int(bitPattern: 1)
    })

  /// From here on none of them ends the process by itself.
  public static func trap() async -> TerminationSignals {
    let ignored = ignoredAtStart
    let all: [UnixSignal] = [.sigterm, .sighup, .sigint, .sigquit]
    return TerminationSignals(
      signals: await UnixSignalsSequence(trapping: all.filter { !ignored.contains($0.rawValue) }))
  }

  /// Calls `first` with the first signal's number; a later one, but a repetition, ends the process at once, with 128 and
  /// its number. Returns when its task is cancelled.
  ///
  /// - Parameter farewell: What is said on standard error then: lines.
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

  /// The first signal's number, when it comes; from then on later ones are watched for as long as the process lives.
  public func first(farewell: String) -> AsyncStream<Int32> {
    AsyncStream { continuation in
      Task { await watch(farewell: { farewell }) { continuation.yield($0) } }
    }
  }

  /// Ends the process without waiting for anything, a standard error that takes nothing included.
  public static func endAtOnce(by number: Int32, saying text: String) -> Never {
    var errors = pollfd(fd: STDERR_FILENO, events: Int16(POLLOUT), revents: 0)
    if poll(&errors, 1, 0) == 1, errors.revents & Int16(POLLOUT) != 0 {
      let bytes = Array(text.utf8)
      _ = write(STDERR_FILENO, bytes, bytes.count)
    }
    _exit(128 + number)
  }

  /// For programs that nothing need be put in order for: SIGQUIT ends them as the other signals do, without the page of
  /// backtrace that Swift's runtime would print.
  public static func quitWithoutBacktrace() {
    if !ignoredAtStart.contains(SIGQUIT) { signal(SIGQUIT, SIG_DFL) }
  }
}
