package import Gateway

/// Reads a gateway profile, a file of `infrabench.gateway/1` (docs/gateways.md, docs/schema).
///
/// Everything that is wrong is collected, each with its line, so that it is said all at once. Strings of the file are shown
/// where they are keys or placeholders; a header's value may be a secret and is in no message.
package struct ProfileFile {
  /// The value of `schema`.
  package static let schema = "infrabench.gateway/1"

  /// What is wrong, one sentence each.
  package struct Failure: Error, Equatable {
    package var sentences: [String]
  }

  /// The largest file that is read, in bytes.
  package static let largest = 256 << 10

  private var sentences: [String] = []

  /// Reads the text of a profile.
  package static func read(_ bytes: [UInt8]) throws(Failure) -> GatewayProfile {
    let root: StrictJSON.Value
    do throws(StrictJSON.Failure) {
      root = try StrictJSON.parse(bytes)
    } catch {
      throw Failure(sentences: ["it is no JSON: \(error)"])
    }
    guard case .object(let members) = root else { throw Failure(sentences: ["a profile is an object: { … }"]) }
    var reader = ProfileFile()
    // By `$schema` an editor finds the JSON Schema to check the file by.
    let own = members.filter { $0.key != "$schema" }
    let profile = reader.profile(ObjectReader("the profile", own, line: 1))
    guard reader.sentences.isEmpty, let profile else { throw Failure(sentences: reader.sentences) }
    return profile
  }

  // MARK: Roles

  private mutating func profile(_ object: ObjectReader) -> GatewayProfile? {
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

  private mutating func status(_ object: ObjectReader) -> GatewayProfile.Status? {
    var object = object
    let call = call(in: &object, method: "GET", takes: [], hasBody: false)
    let warm = field("warm", in: &object, isNeeded: true)
    // Every key is read whatever is wrong with others, so that all mistakes are said.
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

  private mutating func acquire(_ object: ObjectReader) -> GatewayProfile.Acquire? {
    var object = object
    let placeholders: Set<ProfileTemplate.Placeholder> = [.userId, .token, .uuid]
    let body = object.take("body")
    var call = call(in: &object, method: "POST", takes: placeholders, hasBody: false)
    call.body = body.flatMap { json($0, "body", in: object, takes: placeholders) }
    var bodyWaiting: ProfileTemplate?
    if let waiting = object.take("waitFor") {
      if case .object(let more) = waiting.value, case .object(let members)? = body?.value ?? .object([]) {
        let rest = members.filter { member in !more.contains { $0.key == member.key } }
        // What is wrong with the body's own members was said above.
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

  private mutating func release(_ object: ObjectReader) -> GatewayProfile.Release {
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

  private mutating func agents(_ object: ObjectReader) -> GatewayProfile.Agents? {
    var object = object
    let path = path("path", in: &object, takes: [.task])
    if let path, !path.placeholders.contains(.task) {
      say(object.line, "\(object.name): \"path\" has no {task} in it")
    }
    finish(object)
    return path.map { .init(path: $0) }
  }

  private mutating func session(_ object: ObjectReader) -> GatewayProfile.Session? {
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
    // Every key is read whatever is wrong with others, so that all mistakes are said.
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

  private mutating func phases(_ object: ObjectReader) -> GatewayProfile.Session.Phases {
    var object = object
    defer { finish(object) }
    return .init(
      acquire: field("acquire", in: &object), initUser: field("initUser", in: &object),
      workspace: field("workspace", in: &object), processStart: field("processStart", in: &object))
  }

  private mutating func ping(
    _ object: ObjectReader, takes placeholders: Set<ProfileTemplate.Placeholder>
  ) -> GatewayProfile.Session.Ping? {
    var object = object
    let written = text("every", in: &object, isNeeded: true)
    let every = written.flatMap(DurationText.parse)
    if written != nil, every.map({ $0 < 10_000_000 }) ?? true {
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
    _ object: ObjectReader, takes placeholders: Set<ProfileTemplate.Placeholder>
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

  // MARK: Parts of roles

  private mutating func call(
    in object: inout ObjectReader, method fallback: String, takes placeholders: Set<ProfileTemplate.Placeholder>,
    hasBody: Bool
  ) -> GatewayProfile.Call {
    let method = text("method", in: &object) ?? fallback
    if !["GET", "POST", "PUT", "PATCH", "DELETE"].contains(method) {
      say(
        object.line(of: "method"), "\(object.name): \"method\" is GET, POST, PUT, PATCH or DELETE, in capital letters")
    }
    let path = path("path", in: &object, takes: placeholders) ?? ProfileTemplate(encoding: .path)
    let body =
      hasBody ? object.take("body").flatMap { json($0, "body", in: object, takes: placeholders) } : nil
    return .init(method: method, path: path, body: body)
  }

  /// A path that begins with a slash, and is no way out of the endpoint's base path.
  private mutating func path(
    _ key: String, in object: inout ObjectReader, takes placeholders: Set<ProfileTemplate.Placeholder>
  ) -> ProfileTemplate? {
    guard let text = text(key, in: &object, isNeeded: true) else { return nil }
    guard text.hasPrefix("/"), !text.hasPrefix("//"), text.utf8.allSatisfy({ (0x21..<0x7f).contains($0) }),
      !text.contains("#"), !text.contains("\\"), !Self.hasDotSegment(text)
    else {
      say(
        object.line(of: key),
        "\(object.name): \"\(key)\" begins with one slash and has no blank, '#', '\\' or '..' in it")
      return nil
    }
    return template(text, as: .path, key, in: object, takes: placeholders)
  }

  /// Whether a part of the path is `.` or `..`, written out or percent-encoded: servers go another way there (RFC 3986,
  /// section 5.2.4).
  private static func hasDotSegment(_ text: String) -> Bool {
    text.prefix { $0 != "?" }.split(separator: "/").contains { part in
      [".", ".."].contains(part.lowercased().replacing("%2e", with: "."))
    }
  }

  private mutating func headers(
    in object: inout ObjectReader, takes placeholders: Set<ProfileTemplate.Placeholder>
  ) -> [GatewayProfile.Header] {
    guard let reader = self.object("headers", in: &object) else { return [] }
    var headers: [GatewayProfile.Header] = []
    for member in reader.members {
      guard case .string(let text) = member.value, OptionReader.isHeader(name: member.key, value: text) else {
        say(member.line, "\(reader.name): a header is a name that the suite does not set itself, and a printable text")
        continue
      }
      if let value = template(text, as: .plain, member.key, in: reader, takes: placeholders) {
        headers.append(.init(name: member.key, value: value))
      }
    }
    sayRepeated(reader)
    for (index, member) in reader.members.enumerated() {
      let isInOtherLetters = reader.members[..<index].contains { other in
        other.key != member.key && other.key.lowercased() == member.key.lowercased()
      }
      if isInOtherLetters {
        say(member.line, "\(reader.name): \"\(member.key.prefix(40))\" is there twice, in capital and in small letters")
      }
    }
    return headers
  }

  /// Their values are in no message: somebody may have written a token among them.
  private mutating func subprotocols(in object: inout ObjectReader) -> [String] {
    let names = texts("subprotocols", in: &object) ?? []
    let line = object.line(of: "subprotocols")
    if !names.allSatisfy(Self.isToken) {
      say(
        line, "\(object.name): \"subprotocols\" are names of A-Z, a-z, 0-9 and !#$%&'*+-.^_`|~, without placeholders")
    }
    if Set(names).count < names.count { say(line, "\(object.name): \"subprotocols\" has a name twice") }
    return names
  }

  /// RFC 9110, section 5.6.2.
  private static func isToken(_ text: String) -> Bool {
    !text.isEmpty
      && text.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"):
          true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
      }
  }

  private mutating func template(
    _ text: String, as encoding: ProfileTemplate.Encoding, _ key: String, in object: ObjectReader,
    takes placeholders: Set<ProfileTemplate.Placeholder>
  ) -> ProfileTemplate? {
    do throws(ProfileTemplate.UnknownPlaceholder) {
      let template = try ProfileTemplate(text, as: encoding)
      check(template, key, in: object, takes: placeholders)
      return template
    } catch {
      sayUnknown(error, key, in: object)
      return nil
    }
  }

  /// A body or a message: a JSON text with placeholders in its strings, or where it is a string itself, that plain text.
  private mutating func json(
    _ member: Member, _ key: String, in object: ObjectReader, takes placeholders: Set<ProfileTemplate.Placeholder>
  ) -> ProfileTemplate? {
    if case .string(let text) = member.value {
      return template(text, as: .plain, key, in: object, takes: placeholders)
    }
    for repeated in Self.repeatedKeys(member.value) {
      say(repeated.line, "\(object.name): \"\(key)\" has \"\(repeated.key.prefix(40))\" twice")
    }
    do throws(ProfileTemplate.UnknownPlaceholder) {
      let template = try ProfileTemplate.json(member.value)
      check(template, key, in: object, takes: placeholders)
      return template
    } catch {
      sayUnknown(error, key, in: object)
      return nil
    }
  }

  private mutating func check(
    _ template: ProfileTemplate, _ key: String, in object: ObjectReader,
    takes placeholders: Set<ProfileTemplate.Placeholder>
  ) {
    for placeholder in template.placeholders.subtracting(placeholders).map(\.rawValue).sorted() {
      say(object.line(of: key), "\(object.name): \"\(key)\" can't have {\(placeholder)} in it: it isn't known then")
    }
  }

  private mutating func sayUnknown(
    _ error: ProfileTemplate.UnknownPlaceholder, _ key: String, in object: ObjectReader
  ) {
    let names = ProfileTemplate.Placeholder.allCases.map(\.rawValue)
    let nearest = NearestName.near(error.name, in: names).map { ": the nearest is {\($0)}" } ?? ""
    say(object.line(of: key), "\(object.name): \"\(key)\": {\(error.name.prefix(40))} is no placeholder\(nearest)")
  }

  /// A field: a pointer, an object of `pointer` and `last`, or a list of those.
  private mutating func field(_ key: String, in object: inout ObjectReader, isNeeded: Bool = false) -> ProfileField? {
    guard let member = object.take(key) else {
      if isNeeded { say(object.line, "\(object.name): \"\(key)\" is missing") }
      return nil
    }
    var places: [ProfileField.Place] = []
    let values = if case .array(let values) = member.value { values } else { [member.value] }
    for value in values {
      guard let place = Self.place(value) else {
        places = []
        break
      }
      places.append(place)
    }
    guard places.isEmpty else { return ProfileField(places) }
    say(
      member.line,
      "\(object.name): \"\(key)\" is a JSON Pointer such as \"/taskId\", or "
        + "{\"pointer\": \"/taskArn\", \"last\": \"/\"}, or a list of these")
    return nil
  }

  private static func place(_ value: StrictJSON.Value) -> ProfileField.Place? {
    switch value {
    case .string(let text): return JSONPointer(text).map { ProfileField.Place($0) }
    case .object(let members):
      guard Set(members.map(\.key)).count == members.count,
        members.allSatisfy({ ["pointer", "last"].contains($0.key) }),
        case .string(let text)? = members.first(where: { $0.key == "pointer" })?.value, let pointer = JSONPointer(text)
      else { return nil }
      switch members.first(where: { $0.key == "last" })?.value {
      case nil: return ProfileField.Place(pointer)
      case .string(let last) where !last.isEmpty: return ProfileField.Place(pointer, last: last)
      default: return nil
      }
    default: return nil
    }
  }

  /// A condition of an HTTP answer, or of a message, which has no status.
  ///
  /// - Parameter takesAny: whether it may hold for everything: not where no other message would be looked at then.
  private mutating func condition(
    _ key: String, ofMessage isOfMessage: Bool = false, takesAny: Bool = true, in object: inout ObjectReader,
    isNeeded: Bool = false
  ) -> ProfileCondition? {
    guard let member = object.take(key) else {
      if isNeeded { say(object.line, "\(object.name): \"\(key)\" is missing") }
      return nil
    }
    if case .object(let members) = member.value, members.count == 1, members[0].key == "any",
      members[0].value == .bool(true)
    {
      if takesAny { return .any }
      say(member.line, "\(object.name): \"\(key)\" can't be {\"any\": true}: it would take every message")
      return nil
    }
    let sets = if case .array(let values) = member.value { values } else { [member.value] }
    var alternatives: [ProfileCondition.Parts] = []
    for set in sets {
      guard case .object(let members) = set, !members.isEmpty, let parts = Self.parts(members) else {
        alternatives = []
        break
      }
      alternatives.append(parts)
    }
    guard !alternatives.isEmpty else {
      say(
        member.line,
        "\(object.name): \"\(key)\" is a condition such as {\"status\": 200, \"/type\": [\"a\", \"b\"], "
          + "\"/id\": {\"exists\": true}} or {\"any\": true}, or a list of those")
      return nil
    }
    if isOfMessage, alternatives.contains(where: { $0.status != nil }) {
      say(member.line, "\(object.name): \"\(key)\" is about a message: \"status\" is HTTP's")
      return nil
    }
    return ProfileCondition(alternatives)
  }

  private static func parts(_ members: [StrictJSON.Member]) -> ProfileCondition.Parts? {
    var parts = ProfileCondition.Parts()
    for member in members {
      if member.key == "status" {
        let values = if case .array(let values) = member.value { values } else { [member.value] }
        var statuses: [Int] = []
        for value in values {
          guard case .number(let digits) = value, let status = Int(digits), (100...599).contains(status) else {
            return nil
          }
          statuses.append(status)
        }
        guard parts.status == nil, !statuses.isEmpty else { return nil }
        parts.status = statuses
        continue
      }
      guard let pointer = JSONPointer(member.key), parts.fields[pointer] == nil,
        let expectation = expectation(member.value)
      else { return nil }
      parts.fields[pointer] = expectation
    }
    return parts
  }

  private static func expectation(_ value: StrictJSON.Value) -> ProfileCondition.Expectation? {
    switch value {
    case .object(let members):
      guard members.count == 1 else { return nil }
      switch (members[0].key, members[0].value) {
      case ("exists", .bool(let isThere)): return .exists(isThere)
      case ("contains", .string(let part)) where !part.isEmpty: return .contains(part)
      default: return nil
      }
    case .array(let values):
      let scalars = values.compactMap(scalar)
      return scalars.count == values.count && !scalars.isEmpty ? .oneOf(scalars) : nil
    default: return scalar(value).map { .oneOf([$0]) }
    }
  }

  private static func scalar(_ value: StrictJSON.Value) -> JSONNode? {
    switch value {
    case .null: .null
    case .bool(let bool): .bool(bool)
    case .string(let text): .string(text)
    case .number(let digits): JSONNode.written(digits)
    case .array, .object: nil
    }
  }

  // MARK: Values

  private typealias Member = StrictJSON.Member

  private mutating func say(_ line: Int, _ sentence: String) { sentences.append("line \(line): \(sentence)") }

  private mutating func text(_ key: String, in object: inout ObjectReader, isNeeded: Bool = false) -> String? {
    guard let member = object.take(key) else {
      if isNeeded { say(object.line, "\(object.name): \"\(key)\" is missing") }
      return nil
    }
    guard case .string(let text) = member.value else {
      say(member.line, "\(object.name): \"\(key)\" is a text")
      return nil
    }
    return text
  }

  private mutating func texts(_ key: String, in object: inout ObjectReader) -> [String]? {
    guard let member = object.take(key) else { return nil }
    if case .array(let values) = member.value {
      let texts = values.compactMap { if case .string(let text) = $0, !text.isEmpty { text } else { nil } }
      if texts.count == values.count { return texts }
    }
    say(member.line, "\(object.name): \"\(key)\" is a list of texts")
    return nil
  }

  private mutating func flag(_ key: String, in object: inout ObjectReader) -> Bool? {
    guard let member = object.take(key) else { return nil }
    if case .bool(let flag) = member.value { return flag }
    say(member.line, "\(object.name): \"\(key)\" is true or false")
    return nil
  }

  private mutating func list(_ key: String, in object: inout ObjectReader) -> [Member] {
    guard let member = object.take(key) else { return [] }
    if case .array(let values) = member.value {
      return values.map { Member(key: key, value: $0, line: member.line) }
    }
    say(member.line, "\(object.name): \"\(key)\" is a list")
    return []
  }

  private mutating func object(_ key: String, in object: inout ObjectReader) -> ObjectReader? {
    guard let member = object.take(key) else { return nil }
    if case .object(let members) = member.value { return ObjectReader("\"\(key)\"", members, line: member.line) }
    say(member.line, "\"\(key)\" is an object: { … }")
    return nil
  }

  /// Says which keys nobody has taken, and which are there twice.
  private mutating func finish(_ object: ObjectReader) {
    for member in object.members where !object.asked.contains(member.key) {
      let nearest = NearestName.near(member.key, in: object.asked.sorted()).map { ": the nearest is \"\($0)\"" }
      say(member.line, "\(object.name) has no \"\(member.key.prefix(40))\"\(nearest ?? "")")
    }
    sayRepeated(object)
  }

  /// The keys that are in the same object of `value` before.
  private static func repeatedKeys(_ value: StrictJSON.Value) -> [Member] {
    switch value {
    case .null, .bool, .number, .string: return []
    case .array(let values): return values.flatMap(repeatedKeys)
    case .object(let members):
      var seen: Set<String> = []
      return members.filter { !seen.insert($0.key).inserted } + members.flatMap { repeatedKeys($0.value) }
    }
  }

  private mutating func sayRepeated(_ object: ObjectReader) {
    for (index, member) in object.members.enumerated()
    where object.members[..<index].contains(where: { $0.key == member.key }) {
      say(member.line, "\(object.name): \"\(member.key.prefix(40))\" is there twice")
    }
  }
}

/// An object of the file, whose keys are taken one by one, so that what is left over is known.
private struct ObjectReader {
  /// As messages call it.
  let name: String
  let members: [StrictJSON.Member]
  /// Where it begins.
  let line: Int
  /// The keys that there can be.
  private(set) var asked: Set<String> = []

  init(_ name: String, _ members: [StrictJSON.Member], line: Int) {
    self.name = name
    self.members = members
    self.line = line
  }

  func has(_ key: String) -> Bool { members.contains { $0.key == key } }

  mutating func take(_ key: String) -> StrictJSON.Member? {
    asked.insert(key)
    return members.first { $0.key == key }
  }

  /// Where a key is; where the object begins, if it isn't there.
  func line(of key: String) -> Int { members.first { $0.key == key }?.line ?? line }
}

extension ProfileTemplate {
  /// The JSON text of `value`, with the placeholders in its strings; keys are taken as they are.
  fileprivate static func json(_ value: StrictJSON.Value) throws(UnknownPlaceholder) -> ProfileTemplate {
    var template = ProfileTemplate(encoding: .json)
    try template.append(value)
    return template
  }

  private mutating func append(_ value: StrictJSON.Value) throws(UnknownPlaceholder) {
    switch value {
    case .null: appendLiteral("null")
    case .bool(let bool): appendLiteral(bool ? "true" : "false")
    case .number(let digits): appendLiteral(digits)
    case .string(let text):
      appendLiteral("\"")
      try append(text, literally: JSONText.escaped)
      appendLiteral("\"")
    case .array(let values):
      appendLiteral("[")
      for (index, value) in values.enumerated() {
        if index > 0 { appendLiteral(",") }
        try append(value)
      }
      appendLiteral("]")
    case .object(let members):
      appendLiteral("{")
      for (index, member) in members.enumerated() {
        appendLiteral((index > 0 ? ",\"" : "\"") + JSONText.escaped(member.key) + "\":")
        try append(member.value)
      }
      appendLiteral("}")
    }
  }
}
