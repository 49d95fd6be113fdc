/// An object of the file. Its keys are taken one by one, so that unknown keys are found at the end.
struct ProfileObjectReader {
  /// The object's name in messages.
  let name: String
  let members: [StrictJSON.Member]
  /// The line in which the object begins.
  let line: Int
  /// The keys that were asked for, which are all known keys of this object.
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

  /// The line of a key; the line of the object, if it lacks the key.
  func line(of key: String) -> Int { members.first { $0.key == key }?.line ?? line }
}

/// Reads values of an object, and collects the mistakes in them.
extension ProfileFile {
  typealias Member = StrictJSON.Member

  mutating func say(_ line: Int, _ sentence: String) { sentences.append("line \(line): \(sentence)") }

  mutating func text(_ key: String, in object: inout ProfileObjectReader, isNeeded: Bool = false) -> String? {
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

  mutating func texts(_ key: String, in object: inout ProfileObjectReader) -> [String]? {
    guard let member = object.take(key) else { return nil }
    if case .array(let values) = member.value {
      let texts = values.compactMap { if case .string(let text) = $0, !text.isEmpty { text } else { nil } }
      if texts.count == values.count { return texts }
    }
    say(member.line, "\(object.name): \"\(key)\" is a list of texts")
    return nil
  }

  mutating func flag(_ key: String, in object: inout ProfileObjectReader) -> Bool? {
    guard let member = object.take(key) else { return nil }
    if case .bool(let flag) = member.value { return flag }
    say(member.line, "\(object.name): \"\(key)\" is true or false")
    return nil
  }

  mutating func list(_ key: String, in object: inout ProfileObjectReader) -> [Member] {
    guard let member = object.take(key) else { return [] }
    if case .array(let values) = member.value {
      return values.map { Member(key: key, value: $0, line: member.line) }
    }
    say(member.line, "\(object.name): \"\(key)\" is a list")
    return []
  }

  mutating func object(_ key: String, in object: inout ProfileObjectReader) -> ProfileObjectReader? {
    guard let member = object.take(key) else { return nil }
    if case .object(let members) = member.value { return ProfileObjectReader("\"\(key)\"", members, line: member.line) }
    say(member.line, "\"\(key)\" is an object: { … }")
    return nil
  }

  /// Reports the keys that are unknown, and those that occur twice.
  mutating func finish(_ object: ProfileObjectReader) {
    for member in object.members where !object.asked.contains(member.key) {
      let nearest = NearestName.near(member.key, in: object.asked.sorted()).map { ": the nearest is \"\($0)\"" }
      say(member.line, "\(object.name) has no \"\(member.key.prefix(40))\"\(nearest ?? "")")
    }
    sayRepeated(object)
  }

  /// The members of any object in `value` whose key occurred before in that object.
  static func repeatedKeys(_ value: StrictJSON.Value) -> [Member] {
    switch value {
    case .null, .bool, .number, .string: return []
    case .array(let values): return values.flatMap(repeatedKeys)
    case .object(let members):
      var seen: Set<String> = []
      return members.filter { !seen.insert($0.key).inserted } + members.flatMap { repeatedKeys($0.value) }
    }
  }

  mutating func sayRepeated(_ object: ProfileObjectReader) {
    for (index, member) in object.members.enumerated()
    where object.members[..<index].contains(where: { $0.key == member.key }) {
      say(member.line, "\(object.name): \"\(member.key.prefix(40))\" is there twice")
    }
  }
}
