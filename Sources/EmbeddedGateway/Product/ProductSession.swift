/// One session of the product's profile as a pure state machine: what the client, the task and time do comes in, what is to be
/// done comes out.
///
/// Instants are nanoseconds of one monotonic clock. Messages wait in a bounded queue, first until there is a task (there is none
/// before the first message: lazy start), then until it is their turn: the program answers one at a time. While no client is
/// connected, what is said to it is held back. A session that is over does nothing any more.
struct ProductSession {
  /// What the session wants done, in this order.
  enum Action: Equatable {
    case send(ServerMessage)
    /// Close the client's WebSocket; it is not the session's any more.
    case close(ProductClose)
    /// Get a task; answered by `taskReady` or `taskFailed`.
    case acquire
    case give(ProgramInput)
    /// Give the task back, or the wish for one.
    case release
    /// An answer is complete that began at this instant.
    case answered(since: UInt64)
    /// Forget the session.
    case end
  }

  enum TaskState: Equatable {
    case none, starting, ready
  }

  /// What the program does.
  enum Turn: Equatable {
    case idle, answering
    /// It waits for the answer to this question.
    case asking(String)
    /// It was told to end its answer; what it still says of it is passed over.
    case aborting
  }

  let profile: ProductProfile
  /// A session that was made by REST is ended by REST alone.
  let isFromREST: Bool
  var task = TaskState.none
  var turn = Turn.idle
  /// Of the message that is being answered.
  var conversation: String?
  var askedAt: UInt64 = 0
  /// Messages that wait for their turn.
  var queue: [Prompt] = []
  var queuedBytes = 0
  /// The beginning of a line of the program whose end has not come yet.
  var unfinishedLine = ""

  private(set) var isConnected = false
  private(set) var isOver = false
  private var hasBeenConnected = false
  /// What the client is told when it comes back.
  private var held: [ServerMessage] = []
  private var heldBytes = 0
  /// When the client was last heard of, or since when it is gone.
  private var since: UInt64

  init(profile: ProductProfile, isFromREST: Bool, now: UInt64) {
    self.profile = profile
    self.isFromREST = isFromREST
    since = now
  }

  /// When ``tick(now:)`` has something to do; `nil` once the session is over.
  var dueAt: UInt64? {
    if isOver { return nil }
    if isConnected { return since + profile.pingTimeout }
    return since + (hasBeenConnected ? profile.keepSessions : profile.keepUnattached)
  }

  /// Whether the task's messages are to be read: not while too much is held back for a client that is away.
  var takesOutput: Bool { isConnected || heldBytes < profile.maximumHeldBytes }

  /// For people and tools.
  var stateName: String {
    switch turn {
    case .asking: "asking"
    case .answering, .aborting: "answering"
    case .idle: task == .starting ? "starting" : "idle"
    }
  }

  // MARK: The client's connection

  /// A client's WebSocket is open. One that is still open must have been ``replaced(now:)`` before.
  mutating func connected(now: UInt64) -> [Action] {
    guard !isOver else { return [.close(.deleted)] }
    isConnected = true
    since = now
    defer { hasBeenConnected = true }
    guard hasBeenConnected else { return [.send(.sessionReady)] }
    var actions = [Action.send(.sessionRecovered(state: stateName))]
    if case .asking(let question) = turn {
      let asked = ServerMessage.askQuestion(question, conversation: conversation)
      // It may have been lost with the old socket.
      if !held.contains(asked) { actions.append(.send(asked)) }
    }
    actions += held.map(Action.send)
    held = []
    heldBytes = 0
    return actions
  }

  /// The client has opened another WebSocket for this session.
  mutating func replaced(now: UInt64) -> [Action] { disconnect(.replaced, now: now) }

  /// The WebSocket has closed.
  ///
  /// - Parameter isGoodbye: The client has closed it in order, with code 1000: it doesn't want to come back.
  mutating func disconnected(isGoodbye: Bool, now: UInt64) -> [Action] {
    guard isConnected, !isOver else { return [] }
    isConnected = false
    since = now
    return isGoodbye && !isFromREST ? finish() : []
  }

  /// Something came from the client, a control frame perhaps.
  mutating func heard(now: UInt64) {
    if isConnected { since = now }
  }

  /// Time has passed: a client was silent for too long, or didn't come back.
  mutating func tick(now: UInt64) -> [Action] {
    guard let dueAt, dueAt <= now else { return [] }
    return isConnected ? disconnect(.silent, now: now) : finish()
  }

  /// Somebody ends the session by REST.
  mutating func deleted() -> [Action] {
    tellTheEnd("SESSION_DELETED", "the session was ended by DELETE /api/sessions", .deleted)
  }

  /// The gateway stops.
  mutating func stopped() -> [Action] { tellTheEnd("GATEWAY_STOPPING", "the gateway is stopping", .stopping) }

  private mutating func tellTheEnd(_ code: String, _ message: String, _ close: ProductClose) -> [Action] {
    guard !isOver else { return [] }
    let told: [Action] =
      isConnected
      ? [.send(.error(code: code, message: message, conversation: conversation)), .close(close)] : []
    isConnected = false
    return told + finish()
  }

  private mutating func finish() -> [Action] {
    isOver = true
    isConnected = false
    let hadTask = task != .none
    task = .none
    turn = .idle
    queue = []
    held = []
    return hadTask ? [.release, .end] : [.end]
  }

  /// Closes the WebSocket; the session lives on for its time.
  mutating func disconnect(_ reason: ProductClose, now: UInt64) -> [Action] {
    guard isConnected else { return [] }
    isConnected = false
    since = now
    return [.close(reason)]
  }

  /// Tells the client, now or when it is back.
  mutating func say(_ message: ServerMessage) -> [Action] {
    guard !isConnected else { return [.send(message)] }
    held.append(message)
    heldBytes += message.cost
    return []
  }
}

/// Why the gateway closes a client's WebSocket.
enum ProductClose: UInt16, Equatable {
  /// The session was ended by REST.
  case deleted = 1000
  case stopping = 1001
  /// Its token has expired.
  case tokenExpired = 4001
  /// Nothing came from the client for too long.
  case silent = 4008
  /// Another WebSocket took the session over.
  case replaced = 4009
}
