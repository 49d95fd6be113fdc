import Latency

/// A kind of injected fault, by its name in a specification (`docs/faults.md`).
package enum FaultKind: String, Sendable, CaseIterable {
  // MARK: Tasks
  /// A task that waits for a user is killed: SIGKILL to its process, or RST on the socket of a virtual task.
  case taskDiesWarm = "task-dies-warm"
  /// A task is killed right after it was sent its user, before it confirms.
  case taskDiesAssigned = "task-dies-assigned"
  /// A task that serves a user is killed.
  case taskDiesInUse = "task-dies-in-use"
  /// A task's WebSocket is reset (RST).
  case socketBreaks = "socket-breaks"
  /// The gateway's direction of a task's WebSocket is closed (FIN) without a close frame.
  case socketHalfCloses = "socket-half-closes"
  /// A task's WebSocket stays open, but nothing is read from it or written to it any more: no FIN.
  case socketMute = "socket-mute"
  /// A task's confirmation of its user is lost.
  case neverReady = "never-ready"
  /// A task's confirmation of its user comes late.
  case slowInit = "slow-init"
  /// A task's start fails.
  case startFails = "start-fails"
  /// The gateway stops the task that it has just given to a user, as a restart does that means the user's last task.
  case restartStopsNew = "restart-stops-new"
  /// A task that is to end after its user left lives on for a time, and its user may be back.
  case oldSessionLingers = "old-session-lingers"

  // MARK: Answers
  /// An answer comes late.
  case answerSlow = "answer-slow"
  /// No answer leaves the gateway until the stall is over.
  case answerStall = "answer-stall"
  /// An answer has a status of 500 to 599.
  case answer5xx = "answer-5xx"
  /// The connection is reset (RST) instead of an answer.
  case answerReset = "answer-reset"
  /// The gateway closes its direction of the connection (FIN) instead of an answer, and keeps the other one open.
  case answerHalfClose = "answer-half-close"
  /// An answer ends before its announced length, and the connection closes.
  case answerTruncated = "answer-truncated"
  /// An answer is not JSON.
  case answerInvalidJSON = "answer-invalid-json"
  /// An answer is valid, but longer than clients take.
  case answerOversized = "answer-oversized"

  // MARK: ECS
  /// A call is refused with `ThrottlingException`.
  case ecsThrottling = "ecs-throttling"
  /// A call is refused with `AccessDeniedException`.
  case ecsAccessDenied = "ecs-access-denied"
  /// A call is refused with `ExpiredTokenException`.
  case ecsExpiredToken = "ecs-expired-token"
  /// The endpoint's clock is off, so that signatures are refused until a client corrects its own.
  case ecsSkewedClock = "ecs-skewed-clock"
  /// A running task is listed and described no more, though it lives.
  case ecsTaskVanishes = "ecs-task-vanishes"
  /// A running task is missing in one answer and back in the next.
  case ecsTaskFlickers = "ecs-task-flickers"

  /// A parameter's name in a specification.
  package enum Parameter: String, CaseIterable {
    case after, length = "for", every
    case rate, p, count, skip, streak
    case on, delay, hold, status, size, skew, work
  }

  /// Whether it is a fault of the ECS-compatible endpoint.
  package var isOfECS: Bool {
    switch self {
    case .ecsThrottling, .ecsAccessDenied, .ecsExpiredToken, .ecsSkewedClock, .ecsTaskVanishes, .ecsTaskFlickers: true
    default: false
    }
  }

  /// How a fault finds its moment.
  package enum Trigger {
    /// At drawn instants, `rate` of them a second on average.
    case clock
    /// At each event of its kind, with probability `p`.
    case event
    /// At every event as long as it plays.
    case window
  }

  /// The parameters beside those of the time during which the fault plays and of its trigger.
  package var ownParameters: [Parameter] {
    switch self {
    case .socketBreaks, .socketHalfCloses, .socketMute: [.on]
    case .slowInit: [.delay]
    case .startFails: [.streak]
    case .oldSessionLingers, .ecsTaskVanishes: [.hold]
    case .answerSlow: [.on, .delay]
    case .answerStall: [.on]
    case .answer5xx: [.on, .status, .work]
    case .answerReset, .answerHalfClose, .answerTruncated, .answerInvalidJSON: [.on, .work]
    case .answerOversized: [.on, .size]
    case .ecsSkewedClock: [.skew]
    default: []
    }
  }

  /// The places that `on` may name; the first ones, up to ``defaultPlaces``, are the default.
  package var places: [FaultPlace] {
    switch self {
    case .socketBreaks, .socketHalfCloses, .socketMute: [.warm, .assigned, .inUse]
    case .answerSlow, .answerStall, .answer5xx, .answerReset, .answerHalfClose, .answerTruncated, .answerInvalidJSON,
      .answerOversized:
      FaultPlace.answers
    default: []
    }
  }

  /// The trigger of a rule of this kind at `places`.
  package func trigger(at places: Set<FaultPlace>) -> Trigger {
    switch self {
    case .taskDiesWarm, .taskDiesInUse, .ecsTaskVanishes: .clock
    case .socketBreaks, .socketHalfCloses, .socketMute: places == [.assigned] ? .event : .clock
    case .answerStall, .ecsSkewedClock: .window
    default: .event
    }
  }
}

/// Where a fault strikes, by its name in `on=`.
package enum FaultPlace: String, Sendable, CaseIterable {
  /// A task's state: it waits for a user.
  case warm
  /// A task's state: it was given a user, and has not confirmed.
  case assigned
  /// A task's state: it serves a user.
  case inUse = "in-use"
  /// Answers to an acquire; in the product's profile to `POST /api/sessions`.
  case acquire
  /// Answers to a release; in the product's profile to `DELETE /api/sessions/{id}`.
  case release
  /// Answers to `GET /api/status`.
  case status
  /// Answers to `GET /api/users`.
  case users
  /// Answers to `GET /health`.
  case health
  /// The WebSocket of a user.
  case session
  /// Answers of the ECS-compatible endpoint.
  case ecs

  package static let answers: [FaultPlace] = [.acquire, .release, .status, .users, .health, .session, .ecs]
}
