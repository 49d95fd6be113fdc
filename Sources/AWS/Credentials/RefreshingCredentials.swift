import Synchronization

/// Credentials kept and renewed in time; however many ask, there is one renewal at a time.
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
  ///   - fetch: gets credentials anew from where they come from, files and all.
  init(
    clock: @escaping @Sendable () -> Int64, warn: @escaping @Sendable (String) -> Void,
    fetch: @escaping @Sendable () async -> Result<IssuedCredentials, AWSError>
  ) {
    self.clock = clock
    self.warn = warn
    self.fetch = fetch
  }

  /// Credentials of whatever `search` finds, each time anew.
  ///
  /// - Throws: ``AWSError`` `configuration` for what is known to be wrong without asking anybody.
  convenience init(_ search: CredentialSearch, _ context: CredentialContext) throws(AWSError) {
    _ = try search.find()
    self.init(clock: context.calls.wallClock, warn: context.calls.warn) {
      do throws(AWSError) {
        return .success(try await search.fetch(context))
      } catch {
        return .failure(error)
      }
    }
  }

  /// See ``CredentialsProvider``. Waits only where no valid ones are at hand; a cancelled task stops waiting.
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
    // The handler may have run before the waiter was known.
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

  /// The last one who waits ends the renewal.
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
