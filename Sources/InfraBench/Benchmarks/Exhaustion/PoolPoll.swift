import AWS
import Gateway
import Transport

/// What one poll brought: a view that could not be had is nil.
struct PoolPoll: Sendable {
  var sightings: [RefillTracker.View: Sighting] = [:]
  var listLatencies: [UInt64] = []
  /// Tries that ECS throttled before it answered: of a look that is tried again.
  var throttledTries = 0
  /// ECS asked for fewer calls: this poll is a gap.
  var isThrottled = false
  /// Why a view is missing, in words.
  var losses: [String] = []
  /// ECS refused in a way that no later poll changes.
  var refusal: AWSError?
  /// Tasks that the gateway knows and that are neither warm nor assigned yet.
  var warmingCount = 0

  /// Why a view is missing, in a word; nil for a whole look.
  var gap: String? { isThrottled ? "throttled" : losses.isEmpty && refusal == nil ? nil : "lost" }

  /// How many tasks a view shows; nil where it is missing.
  func count(_ view: RefillTracker.View) -> Int? { sightings[view].map { $0.tasks.count + $0.unnamed } }

  /// Whether nothing is on its way: what comes after is the drain's doing.
  var isSettled: Bool { warmingCount == 0 && count(.listed) == count(.running) }

  mutating func add(_ status: Result<(StatusAnswer, HTTPExchange), GatewayError>) {
    switch status {
    case .success(let (status, exchange)):
      let named = status.tasks?.filter { $0.state == "warm" || $0.state == "ready" }.map(\.taskId)
      warmingCount = status.tasks?.count { $0.state == "warming" } ?? 0
      sightings[.warm] = Sighting(
        sentAt: exchange.firstByteWrittenAt, answeredAt: exchange.lastByteReadAt, tasks: Set(named ?? []),
        unnamed: named == nil ? max(0, status.warmCount) : 0)
    case .failure(let error) where error.isCancellation: break
    case .failure(let error): losses.append("the gateway's status: \(error)")
    }
  }

  mutating func add(_ look: Result<ECSPoolView.Look, AWSError>) {
    switch look {
    case .success(let look):
      sightings[.listed] = look.listed
      sightings[.running] = look.running
      listLatencies = look.listLatencies
      throttledTries = look.throttles
      if let error = look.failure { add(error) }
    case .failure(let error): add(error)
    }
  }

  private mutating func add(_ error: AWSError) {
    if error.transfer?.code == .cancelled { return }
    if error.kind == .throttled {
      isThrottled = true
    } else if error.isFinal {
      refusal = error
    } else {
      losses.append("ECS: \(error)")
    }
  }
}
