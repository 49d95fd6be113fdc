package import Latency

/// A description of a gateway's protocol as data: the request for each role of the gateway, and the meaning of its
/// answers.
///
/// A profile is a file of `infrabench.gateway/1` (docs/gateways.md); some are built into the suite. A nil role means
/// that the gateway does not have it.
package struct GatewayProfile: Sendable, Equatable {
  /// A call of the REST side.
  package struct Call: Sendable, Equatable {
    /// The method, in capital letters.
    package var method: String
    /// The path after the endpoint's base path; begins with a slash.
    package var path: ProfileTemplate
    /// A JSON text; nil: no body.
    package var body: ProfileTemplate?

    /// Makes a call.
    package init(method: String, path: ProfileTemplate, body: ProfileTemplate? = nil) {
      self.method = method
      self.path = path
      self.body = body
    }
  }

  /// The call that asks for the pool's state, and the places of the state in its answer.
  package struct Status: Sendable, Equatable {
    package var call: Call
    /// The place of the number of warm tasks.
    package var warm: ProfileField
    /// The place of the number of assigned tasks. Where it is nil or has no value, the assigned tasks in ``tasks`` are
    /// counted.
    package var assigned: ProfileField?
    /// The place of a list of tasks; nil: the gateway lists no tasks.
    package var tasks: ProfileField?
    /// The place of the task's id in an element of ``tasks``.
    package var taskID: ProfileField?
    package var state: ProfileField?
    package var user: ProfileField?
    package var connectedAt: ProfileField?
    /// The states that count as warm.
    package var warmStates: [String]

    package init(
      call: Call, warm: ProfileField, assigned: ProfileField? = nil, tasks: ProfileField? = nil,
      taskID: ProfileField? = nil, state: ProfileField? = nil, user: ProfileField? = nil,
      connectedAt: ProfileField? = nil, warmStates: [String] = ["warm"]
    ) {
      self.call = call
      self.warm = warm
      self.assigned = assigned
      self.tasks = tasks
      self.taskID = taskID
      self.state = state
      self.user = user
      self.connectedAt = connectedAt
      self.warmStates = warmStates
    }
  }

  /// The call that gives a user a task, or a session.
  package struct Acquire: Sendable, Equatable {
    package var call: Call
    /// The body of a request that the gateway answers only when the task is ready; nil: the gateway has no such
    /// request.
    package var bodyWaiting: ProfileTemplate?
    package var success: ProfileCondition
    /// The condition of a miss; nil: the gateway reports no misses.
    package var miss: ProfileCondition?
    /// The place of the id of the task or the session.
    package var task: ProfileField
    /// The place of the gateway's word `warm` or `cold`.
    package var source: ProfileField?
    /// The place of the gateway's own measurement, in ms.
    package var latency: ProfileField?

    package init(
      call: Call, bodyWaiting: ProfileTemplate? = nil, success: ProfileCondition, miss: ProfileCondition? = nil,
      task: ProfileField, source: ProfileField? = nil, latency: ProfileField? = nil
    ) {
      self.call = call
      self.bodyWaiting = bodyWaiting
      self.success = success
      self.miss = miss
      self.task = task
      self.source = source
      self.latency = latency
    }
  }

  /// The call that releases a task or a session.
  package struct Release: Sendable, Equatable {
    package var call: Call
    package var success: ProfileCondition
    /// The condition of a refusal of an unknown task. Where it is nil, a JSON answer with the status 400, 404, 405, 409
    /// or 410 is a refusal; for an unknown call these statuses come with a page.
    package var refused: ProfileCondition?

    package init(
      call: Call, success: ProfileCondition, refused: ProfileCondition? = nil
    ) {
      self.call = call
      self.success = success
      self.refused = refused
    }
  }

  /// The path at which warm tasks connect to a gateway.
  package struct Agents: Sendable, Equatable {
    /// The path; contains `{task}`.
    package var path: ProfileTemplate

    package init(
      path: ProfileTemplate
    ) {
      self.path = path
    }
  }

  /// A header field of an upgrade.
  package struct Header: Sendable, Equatable {
    package var name: String
    package var value: ProfileTemplate

    package init(
      name: String, value: ProfileTemplate
    ) {
      self.name = name
      self.value = value
    }
  }

  /// The user's side: a WebSocket.
  package struct Session: Sendable, Equatable {
    /// A message that keeps a connection alive.
    package struct Ping: Sendable, Equatable {
      package var every: Nanoseconds
      package var send: ProfileTemplate
      package var pong: ProfileCondition?

      package init(
        every: Nanoseconds, send: ProfileTemplate, pong: ProfileCondition? = nil
      ) {
        self.every = every
        self.send = send
        self.pong = pong
      }
    }

    /// The way back to a session after its connection ended.
    package struct Return: Sendable, Equatable {
      /// The path; contains `{sessionId}` or `{token}`.
      package var path: ProfileTemplate
      /// The condition of the message that confirms the session; nil: the next answer confirms it.
      package var recovered: ProfileCondition?

      package init(
        path: ProfileTemplate, recovered: ProfileCondition? = nil
      ) {
        self.path = path
        self.recovered = recovered
      }
    }

    /// The places of the phases in a ready message, in ms.
    package struct Phases: Sendable, Equatable {
      package var acquire: ProfileField?
      package var initUser: ProfileField?
      package var workspace: ProfileField?
      package var processStart: ProfileField?

      package init(
        acquire: ProfileField? = nil, initUser: ProfileField? = nil, workspace: ProfileField? = nil,
        processStart: ProfileField? = nil
      ) {
        self.acquire = acquire
        self.initUser = initUser
        self.workspace = workspace
        self.processStart = processStart
      }
    }

    package var path: ProfileTemplate
    package var headers: [Header]
    package var subprotocols: [String]
    /// The messages that the user sends first, without being asked.
    package var opening: [ProfileTemplate]
    /// The condition of the message after which the user may send; nil: the gateway sends no such message.
    package var ready: ProfileCondition?
    /// The place of the task's id in the ready message.
    package var task: ProfileField?
    package var sessionID: ProfileField?
    package var phases: Phases
    /// The place of `warm` or `cold` in the ready message, or in any later one up to the first response.
    package var source: ProfileField?
    /// Whether the gateway starts a task only with the first message.
    package var isLazy: Bool
    package var send: ProfileTemplate
    /// The condition of the first message of an answer.
    package var first: ProfileCondition
    /// The condition of the last message of an answer; nil: the first message is the whole answer.
    package var done: ProfileCondition?
    package var asked: ProfileCondition?
    package var answer: ProfileTemplate?
    package var ping: Ping?
    package var returning: Return?
    package var error: ProfileCondition?
    package var errorCode: ProfileField?
    package var errorText: ProfileField?

    package init(
      path: ProfileTemplate, headers: [Header] = [], subprotocols: [String] = [], opening: [ProfileTemplate] = [],
      ready: ProfileCondition? = nil, task: ProfileField? = nil, sessionID: ProfileField? = nil,
      phases: Phases = Phases(), source: ProfileField? = nil, isLazy: Bool = false, send: ProfileTemplate,
      first: ProfileCondition, done: ProfileCondition? = nil, asked: ProfileCondition? = nil,
      answer: ProfileTemplate? = nil, ping: Ping? = nil, returning: Return? = nil, error: ProfileCondition? = nil,
      errorCode: ProfileField? = nil, errorText: ProfileField? = nil
    ) {
      self.path = path
      self.headers = headers
      self.subprotocols = subprotocols
      self.opening = opening
      self.ready = ready
      self.task = task
      self.sessionID = sessionID
      self.phases = phases
      self.source = source
      self.isLazy = isLazy
      self.send = send
      self.first = first
      self.done = done
      self.asked = asked
      self.answer = answer
      self.ping = ping
      self.returning = returning
      self.error = error
      self.errorCode = errorCode
      self.errorText = errorText
    }
  }

  /// The profile's name in results.
  package var name: String
  package var status: Status?
  package var acquire: Acquire?
  package var release: Release?
  package var agents: Agents?
  package var session: Session?

  package init(
    name: String, status: Status? = nil, acquire: Acquire? = nil, release: Release? = nil, agents: Agents? = nil,
    session: Session? = nil
  ) {
    self.name = name
    self.status = status
    self.acquire = acquire
    self.release = release
    self.agents = agents
    self.session = session
  }
}

/// The form of each REST call: built-in code (fast), the profile's templates, or none.
package struct GatewayCallForms: Sendable, Equatable {
  /// The form of one call.
  package enum Form<Role: Sendable & Equatable>: Sendable, Equatable {
    /// Built-in code, which reads no templates and builds no tree of the answer.
    case native
    /// The profile's templates and conditions.
    case by(Role)
    /// The gateway has no such call.
    case absent

    fileprivate init(_ role: Role?, native: Role?) {
      switch role {
      case nil: self = .absent
      case native: self = .native
      case let role?: self = .by(role)
      }
    }
  }

  package var status: Form<GatewayProfile.Status> = .native
  package var acquire: Form<GatewayProfile.Acquire> = .native
  package var release: Form<GatewayProfile.Release> = .native

  /// Built-in code for each call.
  package init() {}

  /// Uses built-in code for each call that `profile` describes exactly as `native`, the profile of that code, does.
  package init(_ profile: GatewayProfile, native: GatewayProfile) {
    status = Form(profile.status, native: native.status)
    acquire = Form(profile.acquire, native: native.acquire)
    release = Form(profile.release, native: native.release)
  }
}
