package import Gateway
import Latency

/// Reads a gateway profile, a file of `infrabench.gateway/1` (docs/gateways.md, docs/schema).
///
/// All mistakes are collected with their lines and reported together. Messages show the file's keys and placeholders,
/// but never a header's value, which may be a secret.
package struct ProfileFile {
  /// The value of `schema`.
  package static let schema = "infrabench.gateway/1"

  /// The mistakes of a profile, one sentence each.
  package struct Failure: Error, Equatable {
    package var sentences: [String]
  }

  /// The largest file that is read, in bytes.
  package static let largest = 256 << 10

  var sentences: [String] = []

  /// Reads the text of a profile.
  ///
  /// - Throws: every mistake in it, each with its line.
  package static func read(_ bytes: [UInt8]) throws(Failure) -> GatewayProfile {
    let root: StrictJSON.Value
    do throws(StrictJSON.Failure) {
      root = try StrictJSON.parse(bytes)
    } catch {
      throw Failure(sentences: ["it is no JSON: \(error)"])
    }
    guard case .object(let members) = root else { throw Failure(sentences: ["a profile is an object: { … }"]) }
    var reader = ProfileFile()
    // `$schema` is only for editors, which check the file by the JSON Schema that it names.
    let own = members.filter { $0.key != "$schema" }
    let profile = reader.profile(ProfileObjectReader("the profile", own, line: 1))
    guard reader.sentences.isEmpty, let profile else { throw Failure(sentences: reader.sentences) }
    return profile
  }

  // MARK: Roles

  private mutating func profile(_ object: ProfileObjectReader) -> GatewayProfile? {
    var object = object
    let schema = object.take("schema")
    if schema?.value != .string(Self.schema) {
      say(schema?.line ?? 1, "\"schema\" is to be \"\(Self.schema)\"")
    }
    let name = text("name", in: &object, isNeeded: true)
    if let name, !Self.isName(name) {
      say(
        object.line(of: "name"),
        "\"name\" is to be 1 to 64 of A-Z, a-z, 0-9, '.', '_' and '-': results are told apart by it")
    }
    var profile = GatewayProfile(name: name ?? "")
    if let role = self.object("status", in: &object) { profile.status = status(role) }
    if let role = self.object("acquire", in: &object) { profile.acquire = acquire(role) }
    if let role = self.object("release", in: &object) { profile.release = release(role) }
    if let role = self.object("agents", in: &object) { profile.agents = agents(role) }
    if let role = self.object("session", in: &object) { profile.session = session(role) }
    finish(object)
    if profile.session?.needsTask ?? false, !object.has("acquire") {
      say(object.line(of: "session"), "\"session\" has {task}, and there is no \"acquire\"")
    }
    if sentences.isEmpty, profile.acquire == nil, profile.session == nil {
      say(1, "there is neither \"acquire\" nor \"session\": nothing could be measured")
    }
    return profile
  }

  private mutating func status(_ object: ProfileObjectReader) -> GatewayProfile.Status? {
    var object = object
    let call = call(in: &object, method: "GET", takes: [], hasBody: false)
    let warm = field("warm", in: &object, isNeeded: true)
    // Every key is read, even after a mistake in another one, so that all mistakes are reported.
    var status = GatewayProfile.Status(call: call, warm: warm ?? ProfileField([]))
    status.assigned = field("assigned", in: &object)
    status.tasks = field("tasks", in: &object)
    status.taskID = field("taskId", in: &object)
    status.state = field("state", in: &object)
    status.user = field("user", in: &object)
    status.connectedAt = field("connectedAt", in: &object)
    if let states = texts("warmStates", in: &object) { status.warmStates = states }
    if object.has("tasks"), !object.has("taskId") {
      say(object.line, "\(object.name): \"tasks\" wants \"taskId\", the place of a task's name in each of them")
    }
    finish(object)
    return warm == nil ? nil : status
  }

  private mutating func acquire(_ object: ProfileObjectReader) -> GatewayProfile.Acquire? {
    var object = object
    let placeholders: Set<ProfileTemplate.Placeholder> = [.userId, .token, .uuid]
    let body = object.take("body")
    var call = call(in: &object, method: "POST", takes: placeholders, hasBody: false)
    call.body = body.flatMap { json($0, "body", in: object, takes: placeholders) }
    var bodyWaiting: ProfileTemplate?
    if let waiting = object.take("waitFor") {
      if case .object(let more) = waiting.value, case .object(let members)? = body?.value ?? .object([]) {
        let rest = members.filter { member in !more.contains { $0.key == member.key } }
        // Mistakes in the body's own members were reported above.
        if json(waiting, "waitFor", in: object, takes: placeholders) != nil {
          bodyWaiting = try? ProfileTemplate.json(.object(rest + more))
        }
      } else {
        say(waiting.line, "\(object.name): \"waitFor\" is an object whose members go into the body")
      }
    }
    let success = condition("success", in: &object) ?? ProfileCondition([.init(status: [200])])
    let miss = condition("miss", in: &object)
    let source = field("source", in: &object)
    let latency = field("latencyMs", in: &object)
    let task = field("task", in: &object, isNeeded: true)
    finish(object)
    return task.map {
      .init(
        call: call, bodyWaiting: bodyWaiting, success: success, miss: miss, task: $0, source: source, latency: latency)
    }
  }

  private mutating func release(_ object: ProfileObjectReader) -> GatewayProfile.Release {
    var object = object
    let before = sentences.count
    let call = call(in: &object, method: "POST", takes: [.task, .token], hasBody: true)
    if sentences.count == before, !call.path.placeholders.contains(.task),
      call.body?.placeholders.contains(.task) != true
    {
      say(object.line, "\(object.name): neither its path nor its body has {task} in it")
    }
    let success = condition("success", in: &object) ?? ProfileCondition([.init(status: [200, 204])])
    let refused = condition("refused", in: &object)
    finish(object)
    return .init(call: call, success: success, refused: refused)
  }

  private mutating func agents(_ object: ProfileObjectReader) -> GatewayProfile.Agents? {
    var object = object
    let path = path("path", in: &object, takes: [.task])
    if let path, !path.placeholders.contains(.task) {
      say(object.line, "\(object.name): \"path\" has no {task} in it")
    }
    finish(object)
    return path.map { .init(path: $0) }
  }

  private mutating func session(_ object: ProfileObjectReader) -> GatewayProfile.Session? {
    var object = object
    let early: Set<ProfileTemplate.Placeholder> = [.userId, .task, .token, .uuid]
    let late = early.union([.sessionId, .message, .n])
    let path = path("path", in: &object, takes: early)
    let headers = headers(in: &object, takes: early)
    let subprotocols = subprotocols(in: &object)
    let opening = list("opening", in: &object).compactMap { json($0, "opening", in: object, takes: early) }
    let send = object.take("send").flatMap { json($0, "send", in: object, takes: late) }
    let first = condition("first", ofMessage: true, in: &object, isNeeded: true)
    if !object.has("send") { say(object.line, "\(object.name): \"send\" is missing") }
    if let send, !send.placeholders.contains(.message) {
      say(object.line(of: "send"), "\(object.name): \"send\" has no {message} in it")
    }
    let nothing = ProfileTemplate(encoding: .plain)
    // Every key is read, even after a mistake in another one, so that all mistakes are reported.
    var session = GatewayProfile.Session(path: path ?? nothing, send: send ?? nothing, first: first ?? .any)
    session.headers = headers
    session.subprotocols = subprotocols
    session.opening = opening
    session.ready = condition("ready", ofMessage: true, in: &object)
    session.task = field("task", in: &object)
    session.sessionID = field("sessionId", in: &object)
    session.source = field("source", in: &object)
    session.isLazy = flag("lazy", in: &object) ?? false
    session.done = condition("done", ofMessage: true, in: &object)
    session.asked = condition("asked", ofMessage: true, takesAny: false, in: &object)
    session.answer = object.take("answer").flatMap { json($0, "answer", in: object, takes: late) }
    session.error = condition("error", ofMessage: true, takesAny: false, in: &object)
    session.errorCode = field("errorCode", in: &object)
    session.errorText = field("errorText", in: &object)
    if let phases = self.object("phases", in: &object) { session.phases = self.phases(phases) }
    if let ping = self.object("ping", in: &object) { session.ping = self.ping(ping, takes: late) }
    if let back = self.object("return", in: &object) { session.returning = returning(back, takes: late) }
    if object.has("asked") != object.has("answer") {
      say(object.line, "\(object.name): \"asked\" and \"answer\" go together")
    }
    finish(object)
    return path == nil || send == nil || first == nil ? nil : session
  }

  private mutating func phases(_ object: ProfileObjectReader) -> GatewayProfile.Session.Phases {
    var object = object
    defer { finish(object) }
    return .init(
      acquire: field("acquire", in: &object), initUser: field("initUser", in: &object),
      workspace: field("workspace", in: &object), processStart: field("processStart", in: &object))
  }

  private mutating func ping(
    _ object: ProfileObjectReader, takes placeholders: Set<ProfileTemplate.Placeholder>
  ) -> GatewayProfile.Session.Ping? {
    var object = object
    let written = text("every", in: &object, isNeeded: true)
    let every = written.flatMap { DurationText.parse($0) }
    if written != nil, every.map({ $0 < .milliseconds(10) }) ?? true {
      say(object.line(of: "every"), "\(object.name): \"every\" is a duration of 10ms or more: \(DurationText.rule)")
    }
    let send = object.take("send").flatMap { json($0, "send", in: object, takes: placeholders) }
    if !object.has("send") { say(object.line, "\(object.name): \"send\" is missing") }
    let pong = condition("pong", ofMessage: true, takesAny: false, in: &object)
    finish(object)
    guard let every, let send else { return nil }
    return .init(every: every, send: send, pong: pong)
  }

  private mutating func returning(
    _ object: ProfileObjectReader, takes placeholders: Set<ProfileTemplate.Placeholder>
  ) -> GatewayProfile.Session.Return? {
    var object = object
    let path = path("path", in: &object, takes: placeholders)
    let recovered = condition("recovered", ofMessage: true, in: &object)
    finish(object)
    return path.map { .init(path: $0, recovered: recovered) }
  }

  private static func isName(_ text: String) -> Bool {
    (1...64).contains(text.utf8.count)
      && text.unicodeScalars.allSatisfy {
        $0.isASCII && ($0.properties.isAlphabetic || ("0"..."9").contains($0) || "._-".unicodeScalars.contains($0))
      }
  }
}
