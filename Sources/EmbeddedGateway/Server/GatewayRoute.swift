import Gateway

/// What a request's method and path mean.
enum GatewayRoute: Equatable {
  case acquire, release, status, users, health
  /// `POST /`: the ECS-compatible endpoint.
  case ecs
  /// A WebSocket of a task.
  case task(TaskID)
  /// The product's profile: its REST sessions, and its WebSocket at the root.
  case createSession, productSocket
  case deleteSession(id: String)
  /// A WebSocket of a user.
  case session(userID: String)
  /// Right path, wrong method; what would be right.
  case methodNotAllowed(allow: String)
  /// The id in the path is none.
  case invalidID
  case unknown

  /// Reads `uri` as the embedded profile does; its query doesn't count.
  init(method: String, uri: String) {
    let path = uri.prefix { $0 != "?" && $0 != "#" }
    switch path {
    case "/api/acquire": self = Self.only("POST", method, .acquire)
    case "/api/release": self = Self.only("POST", method, .release)
    case "/api/status": self = Self.only("GET", method, .status)
    case "/api/users": self = Self.only("GET", method, .users)
    case "/health": self = Self.only("GET", method, .health)
    case "/": self = Self.only("POST", method, .ecs)
    default:
      if path.hasPrefix("/internal/warm/") {
        let id = path.dropFirst("/internal/warm/".count)
        // Ids of tasks end up in paths and logs as those of users do, and obey the same rule.
        self = UserID.isValid(id) ? Self.only("GET", method, .task(String(id))) : .invalidID
      } else if path.hasPrefix("/session/") {
        let id = path.dropFirst("/session/".count)
        self = UserID.isValid(id) ? Self.only("GET", method, .session(userID: String(id))) : .invalidID
      } else {
        self = .unknown
      }
    }
  }

  private static func only(_ right: String, _ method: String, _ route: GatewayRoute) -> GatewayRoute {
    method == right ? route : .methodNotAllowed(allow: right)
  }
}
