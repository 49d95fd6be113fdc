import Gateway

/// The parts that a profile's roles share: calls, paths, headers, templates, fields and conditions.
extension ProfileFile {
  mutating func call(
    in object: inout ProfileObjectReader, method fallback: String, takes placeholders: Set<ProfileTemplate.Placeholder>,
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

  /// A path that begins with one slash and stays below the endpoint's base path.
  mutating func path(
    _ key: String, in object: inout ProfileObjectReader, takes placeholders: Set<ProfileTemplate.Placeholder>
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

  /// Whether a part of the path is `.` or `..`, plain or percent-encoded: servers remove such parts (RFC 3986, section
  /// 5.2.4).
  private static func hasDotSegment(_ text: String) -> Bool {
    text.prefix { $0 != "?" }.split(separator: "/").contains { part in
      [".", ".."].contains(part.lowercased().replacing("%2e", with: "."))
    }
  }

  mutating func headers(
    in object: inout ProfileObjectReader, takes placeholders: Set<ProfileTemplate.Placeholder>
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

  /// The names of the WebSocket subprotocols. Messages do not show them, as a user may have written a token among them.
  mutating func subprotocols(in object: inout ProfileObjectReader) -> [String] {
    let names = texts("subprotocols", in: &object) ?? []
    let line = object.line(of: "subprotocols")
    if !names.allSatisfy(Self.isToken) {
      say(
        line, "\(object.name): \"subprotocols\" are names of A-Z, a-z, 0-9 and !#$%&'*+-.^_`|~, without placeholders")
    }
    if Set(names).count < names.count { say(line, "\(object.name): \"subprotocols\" has a name twice") }
    return names
  }

  /// Whether `text` is a token (RFC 9110, section 5.6.2).
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

  mutating func template(
    _ text: String, as encoding: ProfileTemplate.Encoding, _ key: String, in object: ProfileObjectReader,
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

  /// A body or a message: a JSON text with placeholders in its strings; or plain text, where the value is a string
  /// itself.
  mutating func json(
    _ member: Member, _ key: String, in object: ProfileObjectReader,
    takes placeholders: Set<ProfileTemplate.Placeholder>
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
    _ template: ProfileTemplate, _ key: String, in object: ProfileObjectReader,
    takes placeholders: Set<ProfileTemplate.Placeholder>
  ) {
    for placeholder in template.placeholders.subtracting(placeholders).map(\.rawValue).sorted() {
      say(object.line(of: key), "\(object.name): \"\(key)\" can't have {\(placeholder)} in it: it isn't known then")
    }
  }

  private mutating func sayUnknown(
    _ error: ProfileTemplate.UnknownPlaceholder, _ key: String, in object: ProfileObjectReader
  ) {
    let names = ProfileTemplate.Placeholder.allCases.map(\.rawValue)
    let nearest = NearestName.near(error.name, in: names).map { ": the nearest is {\($0)}" } ?? ""
    say(object.line(of: key), "\(object.name): \"\(key)\": {\(error.name.prefix(40))} is no placeholder\(nearest)")
  }

  /// A field: a JSON Pointer, an object of `pointer` and `last`, or a list of those.
  mutating func field(_ key: String, in object: inout ProfileObjectReader, isNeeded: Bool = false) -> ProfileField? {
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
  /// - Parameter takesAny: whether `{"any": true}` is allowed. It is not where a condition that takes every message
  ///   would hide all later ones.
  mutating func condition(
    _ key: String, ofMessage isOfMessage: Bool = false, takesAny: Bool = true, in object: inout ProfileObjectReader,
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
}

extension ProfileTemplate {
  /// The JSON text of `value`, with placeholders in its strings; keys are literal.
  static func json(_ value: StrictJSON.Value) throws(UnknownPlaceholder) -> ProfileTemplate {
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
