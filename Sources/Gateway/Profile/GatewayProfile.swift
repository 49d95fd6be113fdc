package import Latency

/// How a gateway is spoken to, as data: what each role of it is asked by, and what its answers mean.
///
/// A profile is a file of `infrabench.gateway/1` (docs/gateways.md); the suite has some of its own. A role that is nil is one
/// that the gateway does not have.
package struct GatewayProfile: Sendable, Equatable {
  /// A call of the REST side.
  package struct Call: Sendable, Equatable {
    /// The method, in capital letters.
    package var method: String
    /// Behind the endpoint's base path; begins with a slash.
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

  /// The pool as the gateway shows it.
  package struct Status: Sendable, Equatable {
    package var call: Call
    /// How many tasks are warm: a number.
    package var warm: ProfileField
    /// How many have a user: a number. Nil, or nothing there: as the tasks tell.
    package var assigned: ProfileField?
    /// A list of tasks; nil: it shows none.
    package var tasks: ProfileField?
    /// In each task.
    package var taskID: ProfileField?
    package var state: ProfileField?
    package var user: ProfileField?
    package var connectedAt: ProfileField?
    /// The states that count as warm.
    package var warmStates: [String]

    /// Makes one.
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
    /// The body when the answer is to come only when the task is ready; nil: the gateway can't be asked that.
    package var bodyWaiting: ProfileTemplate?
    package var success: ProfileCondition
    /// The pool has none: no success and no failure. Nil: the gateway has no such answer.
    package var miss: ProfileCondition?
    /// What the task, or the session, is called.
    package var task: ProfileField
    /// `warm` or `cold`, in the gateway's own word.
    package var source: ProfileField?
    /// The gateway's own figure, in ms.
    package var latency: ProfileField?

    /// Makes one.
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

  /// The call that gives it back.
  package struct Release: Sendable, Equatable {
    package var call: Call
    package var success: ProfileCondition
    /// What says that the gateway knows no such task; nil: an answer of the statuses 400, 404, 405, 409 and 410 that is
    /// JSON, as an unknown call is answered by a page.
    package var refused: ProfileCondition?

    /// Makes one.
    package init(
      call: Call, success: ProfileCondition, refused: ProfileCondition? = nil
    ) {
      self.call = call
      self.success = success
      self.refused = refused
    }
  }

  /// Where a gateway takes warm tasks that connect to it.
  package struct Agents: Sendable, Equatable {
    /// Has `{task}` in it.
    package var path: ProfileTemplate

    /// Makes one.
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

    /// Makes one.
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

      /// Makes one.
      package init(
        every: Nanoseconds, send: ProfileTemplate, pong: ProfileCondition? = nil
      ) {
        self.every = every
        self.send = send
        self.pong = pong
      }
    }

    /// How a session is gone back to after its connection ended.
    package struct Return: Sendable, Equatable {
      /// Has `{sessionId}` or `{token}` in it.
      package var path: ProfileTemplate
      /// What says that the session is there again; nil: the next answer does.
      package var recovered: ProfileCondition?

      /// Makes one.
      package init(
        path: ProfileTemplate, recovered: ProfileCondition? = nil
      ) {
        self.path = path
        self.recovered = recovered
      }
    }

    /// The phases that a ready message tells, in ms.
    package struct Phases: Sendable, Equatable {
      package var acquire: ProfileField?
      package var initUser: ProfileField?
      package var workspace: ProfileField?
      package var processStart: ProfileField?

      /// Makes one.
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
    /// What the user sends first, unasked.
    package var opening: [ProfileTemplate]
    /// What the gateway sends when the user may speak; nil: it sends nothing.
    package var ready: ProfileCondition?
    /// In the ready message.
    package var task: ProfileField?
    package var sessionID: ProfileField?
    package var phases: Phases
    /// `warm` or `cold`, in the ready message, or in any later one up to the first response.
    package var source: ProfileField?
    /// There is no task before the first message.
    package var isLazy: Bool
    package var send: ProfileTemplate
    /// The first message of an answer.
    package var first: ProfileCondition
    /// The last message of an answer; nil: the first one is all of it.
    package var done: ProfileCondition?
    package var asked: ProfileCondition?
    package var answer: ProfileTemplate?
    package var ping: Ping?
    package var returning: Return?
    package var error: ProfileCondition?
    package var errorCode: ProfileField?
    package var errorText: ProfileField?

    /// Makes one.
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

  /// What results call it.
  package var name: String
  package var status: Status?
  package var acquire: Acquire?
  package var release: Release?
  package var agents: Agents?
  package var session: Session?

  /// Makes one.
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

/// Whether each REST call is made by built-in code (fast), by the profile's templates, or not at all.
package struct GatewayCallForms: Sendable, Equatable {
  /// How one call is made.
  package enum Form<Role: Sendable & Equatable>: Sendable, Equatable {
    /// By built-in code, which reads no templates and builds no tree of the answer.
    case native
    /// By the profile's templates and conditions.
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

  /// The suite's own form of each call.
  package init() {}

  /// Takes the built-in code for each call that `profile` describes exactly as `native`, the profile of that code, does.
  package init(_ profile: GatewayProfile, native: GatewayProfile) {
    status = Form(profile.status, native: native.status)
    acquire = Form(profile.acquire, native: native.acquire)
    release = Form(profile.release, native: native.release)
  }
}
