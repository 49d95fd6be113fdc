import Gateway

extension GatewayRoute {
  /// What a request means in the product's profile: its sessions instead of acquire, release and `/session/…`; what tools look
  /// at, the tasks' side and the ECS-compatible endpoint as always.
  static func product(method: String, uri: String) -> GatewayRoute {
    let path = uri.prefix { $0 != "?" && $0 != "#" }
    let sessions = "/api/sessions"
    if path == "/" {
      return switch method {
      case "GET": .productSocket
      case "POST": .ecs
      default: .methodNotAllowed(allow: "GET, POST")
      }
    }
    if path == sessions { return method == "POST" ? .createSession : .methodNotAllowed(allow: "POST") }
    if path.hasPrefix(sessions + "/") {
      let id = path.dropFirst(sessions.utf8.count + 1)
      guard UserID.isValid(id) else { return .unknown }
      return method == "DELETE" ? .deleteSession(id: String(id)) : .methodNotAllowed(allow: "DELETE")
    }
    let isOfTheOtherProfile = path == "/api/acquire" || path == "/api/release" || path.hasPrefix("/session/")
    return isOfTheOtherProfile ? .unknown : GatewayRoute(method: method, uri: uri)
  }
}
