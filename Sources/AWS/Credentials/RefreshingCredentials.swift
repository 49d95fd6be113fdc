import Synchronization

/// Keeps credentials and renews them in time. Concurrent callers share one renewal.
final class RefreshingCredentials: CredentialsProvider {
  private typealias Waiter = CheckedContinuation<Result<AWSCredentials, AWSError>, Never>

  private struct State {
    var renewal = CredentialRenewal()
    var task: Task<Void, Never>?
    var waiters: [UInt64: Waiter] = [:]
  }

  private let clock: @Sendable () -> Int64
  private let warn: @Sendable (String) -> Void
  private let fetch: @Sendable () async -> Result<IssuedCredentials, AWSError>
  private let state = Mutex(State())
  private let nextID = Atomic<UInt64>(0)

  /// - Parameters:
  ///   - clock: seconds since 1970.
  ///   - fetch: fetches credentials anew from their source; it reads the files again.
  init(
    clock: @escaping @Sendable () -> Int64, warn: @escaping @Sendable (String) -> Void,
    fetch: @escaping @Sendable () async -> Result<IssuedCredentials, AWSError>
  ) {
    self.clock = clock
    self.warn = warn
    self.fetch = fetch
  }

  /// Credentials of the source that `chain` finds; each renewal searches the chain again.
  ///
  /// - Throws: ``AWSError`` `configuration` for an error that is known before any call.
  convenience init(_ chain: CredentialChain, _ context: CredentialContext) throws(AWSError) {
    _ = try chain.find()
    self.init(clock: context.calls.wallClock, warn: context.calls.warn) {
      do throws(AWSError) {
        return .success(try await chain.fetch(context))
      } catch {
        return .failure(error)
      }
    }
  }

  /// See ``CredentialsProvider``. Waits only while there are no valid credentials; a cancelled task stops waiting.
  func credentials(replacing rejected: AWSCredentials?) async throws(AWSError) -> AWSCredentials {
    let id = nextID.add(1, ordering: .relaxed).newValue
    let result = await withTaskCancellationHandler {
      await withCheckedContinuation { (waiter: Waiter) in ask(replacing: rejected, id, waiter) }
    } onCancel: {
      abandon(id)
    }
    return try result.get()
  }

  private func ask(replacing rejected: AWSCredentials?, _ id: UInt64, _ waiter: Waiter) {
    let answer: Result<AWSCredentials, AWSError>? = state.withLock { state in
      let decision = state.renewal.request(replacing: rejected, at: clock())
      if let number = decision.starts {
        state.task = Task { await self.renew(number) }
      }
      if let credentials = decision.credentials { return .success(credentials) }
      state.waiters[id] = waiter
      return nil
    }
    if let answer { waiter.resume(returning: answer) }
    // The cancellation handler may have run before the waiter was registered.
    if answer == nil, Task.isCancelled { abandon(id) }
  }

  private func renew(_ number: Int) async {
    let result = await fetch()
    let finished = state.withLock { state in
      state.renewal.finish(number, result, at: clock()).map { outcome in
        defer {
          state.waiters = [:]
          state.task = nil
        }
        return (outcome, Array(state.waiters.values))
      }
    }
    guard let (outcome, waiters) = finished else { return }
    if let warning = outcome.warning { warn(warning) }
    for waiter in waiters { waiter.resume(returning: outcome.answer) }
  }

  /// Removes a waiter; the last one to leave ends the renewal.
  private func abandon(_ id: UInt64) {
    let waiter = state.withLock { state in
      let waiter = state.waiters.removeValue(forKey: id)
      if waiter != nil, state.waiters.isEmpty {
        state.renewal.giveUp()
        state.task?.cancel()
        state.task = nil
      }
      return waiter
    }
    waiter?.resume(returning: .failure(.cancelledWait))
  }
}

/// Decides which credentials a call gets, when a renewal starts, and which calls wait for it. Pure:
/// ``RefreshingCredentials`` acts on the decisions.
///
/// No call waits while the old credentials are valid: it gets them, and the renewal runs meanwhile.
struct CredentialRenewal {
  /// The remaining validity, in seconds, below which credentials are renewed.
  static let margin: Int64 = 600
  /// The pause between two renewals while the current credentials are still valid, in seconds.
  static let pause: Int64 = 60

  private struct Held {
    var issued: IssuedCredentials
    /// The end of validity; `nil` where this machine's clock cannot tell: the end is unknown, or had passed at issue.
    var validUntil: Int64?
    var renewAt: Int64?
    var isRejected = false

    func isUsable(at now: Int64) -> Bool { !isRejected && (validUntil.map { now < $0 } ?? true) }
  }

  /// The answer to a request for credentials.
  struct Decision: Equatable {
    /// The credentials for the call; `nil`: the call waits for the running renewal.
    var credentials: AWSCredentials?
    /// The number of the renewal to start now, if any.
    var starts: Int?
  }

  /// The consequence of a finished renewal.
  struct Outcome {
    /// The answer for every waiting call.
    var answer: Result<AWSCredentials, AWSError>
    /// A warning for the user.
    var warning: String?
  }

  private var held: Held?
  private var lastNumber = 0
  private var runningNumber: Int?
  private var hasWarned = false

  /// Decides about a request at `now`, seconds since 1970.
  mutating func request(replacing rejected: AWSCredentials?, at now: Int64) -> Decision {
    if let rejected, held?.issued.credentials == rejected { held?.isRejected = true }
    guard let held, held.isUsable(at: now) else { return Decision(credentials: nil, starts: start()) }
    let isDue = held.renewAt.map { now >= $0 } ?? false
    return Decision(credentials: held.issued.credentials, starts: isDue ? start() : nil)
  }

  /// Takes a renewal's result; `nil` where the renewal was given up before it finished.
  mutating func finish(
    _ number: Int, _ result: Result<IssuedCredentials, AWSError>, at now: Int64
  ) -> Outcome? {
    guard number == runningNumber else { return nil }
    runningNumber = nil
    switch result {
    case .success(let issued): return take(issued, at: now)
    case .failure(let error): return fail(error, at: now)
    }
  }

  /// Gives up the running renewal, which no call waits for any longer; a later request starts another.
  mutating func giveUp() { runningNumber = nil }

  private mutating func start() -> Int? {
    guard runningNumber == nil else { return nil }
    lastNumber += 1
    runningNumber = lastNumber
    return lastNumber
  }

  private mutating func take(_ issued: IssuedCredentials, at now: Int64) -> Outcome {
    var outcome = Outcome(answer: .success(issued.credentials))
    var held = Held(issued: issued)
    var hasEnded = false
    if let end = issued.expiration {
      // The credentials had ended at issue: this clock or the source is wrong, and AWS's answer will tell which.
      hasEnded = end <= now
      held.validUntil = hasEnded ? nil : end
      held.renewAt = max(end - CredentialRenewal.margin, CredentialRenewal.nextTry(before: end, at: now))
      if hasEnded, !hasWarned {
        outcome.warning =
          "the credentials from \(issued.credentials.source) ended \(now - end) s ago by this machine's clock"
      }
    }
    hasWarned = hasEnded
    self.held = held
    return outcome
  }

  private mutating func fail(_ error: AWSError, at now: Int64) -> Outcome {
    guard var held else { return Outcome(answer: .failure(error)) }
    let source = held.issued.credentials.source
    guard held.isUsable(at: now) else {
      var error = error
      error.message = "the credentials from \(source) have expired and were not renewed: \(error.message)"
      return Outcome(answer: .failure(error))
    }
    held.renewAt = CredentialRenewal.nextTry(before: held.validUntil, at: now)
    self.held = held
    var outcome = Outcome(answer: .success(held.issued.credentials))
    if !hasWarned {
      let remaining = held.validUntil.map { " for another \($0 - now) s" } ?? ""
      outcome.warning = "the credentials from \(source) were not renewed and are used on\(remaining): \(error)"
      hasWarned = true
    }
    return outcome
  }

  /// The instant of the next renewal: after the pause, but before the end where that is still to come.
  private static func nextTry(before end: Int64?, at now: Int64) -> Int64 {
    guard let end, end > now else { return now + pause }
    return now + min(pause, max(1, (end - now) / 2))
  }
}
