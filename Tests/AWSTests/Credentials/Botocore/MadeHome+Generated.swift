import TestSupport

extension MadeHome {
  /// 60 homes, the same every time: what people write, put together at random.
  static let generated: [MadeHome] = {
    var random = SeededRandom(seed: 12)
    return (1...60).map { HomeMaker.home(named: "generated \($0)", &random) }
  }()
}

/// Draws homes. What is known to be read differently on purpose is not drawn: it is among the hand-picked ones.
private struct HomeMaker {
  static func home(named name: String, _ random: inout SeededRandom) -> MadeHome {
    var maker = HomeMaker(random)
    defer { random = maker.random }
    var environment: [String: String] = [:]
    if maker.happens(2) { environment["AWS_DEFAULT_REGION"] = maker.pick(["eu-west-1", "us-east-1"]) }
    if maker.happens(3) { environment[maker.happens(2) ? "AWS_PROFILE" : "AWS_DEFAULT_PROFILE"] = maker.profile() }
    if maker.happens(5) {
      environment["AWS_ACCESS_KEY_ID"] = "ENV"
      environment["AWS_SECRET_ACCESS_KEY"] = maker.secret()
      if maker.happens(2) { environment[maker.happens(2) ? "AWS_SESSION_TOKEN" : "AWS_SECURITY_TOKEN"] = "t" }
    }
    if maker.happens(6) { environment["AWS_CA_BUNDLE"] = "/env.pem" }
    return MadeHome(
      name, config: maker.file(isConfig: true), credentials: maker.file(isConfig: false), environment,
      profile: maker.happens(6) ? maker.profile() : nil)
  }

  private var random: SeededRandom
  private var lastKey = 0

  init(_ random: SeededRandom) { self.random = random }

  /// One time of `number`.
  private mutating func happens(_ number: Int) -> Bool { Int.random(in: 1...number, using: &random) == 1 }

  private mutating func pick(_ texts: [String]) -> String { texts.randomElement(using: &random) ?? "" }

  private mutating func profile() -> String { pick(["default", "p", "a b", "none"]) }

  private mutating func secret() -> String {
    pick(["s", "a=b", "a#b", "a # b", "a ;b", "\"q\"", "'q # r'", "x:y", "[z]", "ü", "a\u{85}b"])
  }

  private mutating func file(isConfig: Bool) -> String {
    var text = pick(["", "", "# top\n", "\n", "; top\n\n"])
    let names =
      isConfig ? ["default", "profile default", "profile p", "profile 'a b'", "profile x y"] : ["default", "p", "a b"]
    for name in names.shuffled(using: &random).prefix(Int.random(in: 0...names.count, using: &random)) {
      text += section(name, isConfig)
    }
    return happens(4) ? text.replacing("\n", with: "\r\n") : text
  }

  private mutating func section(_ name: String, _ isConfig: Bool) -> String {
    var settings: [(String, String)] = []
    if !happens(4) {
      lastKey += 1
      settings.append(("aws_access_key_id", "\(isConfig ? "CONFIG" : "CREDENTIALS")\(lastKey)"))
      if !happens(8) { settings.append(("aws_secret_access_key", secret())) }
      if happens(4) { settings.append((pick(["aws_session_token", "aws_security_token"]), "t\(lastKey)")) }
    }
    if happens(2) { settings.append(("region", pick(["eu-north-1", "eu-west-3", ""]))) }
    if happens(4) { settings.append(("ca_bundle", pick(["/c.pem", "/c d.pem", "~/c.pem"]))) }
    if happens(5) { settings.append(("output", "json")) }
    let indentation = pick(["", "", "", "  ", "\t"])
    var text = pick(["", "", "  "]) + "[\(name)]" + pick(["", "", " ", " # c", " ; c"]) + "\n"
    for (setting, value) in settings.shuffled(using: &random) {
      text += indentation + (happens(6) ? setting.uppercased() : setting)
      text += pick([" = ", "=", " =", "= ", ": ", "\t=\t"]) + value + pick(["", "", " ", "\t"]) + "\n"
      if happens(6) { text += pick(["\n", "# c\n", "  # c\n", "   \n"]) }
    }
    if happens(6) { text += indentation + "s3 =\n" + indentation + "  region = nested\n" + indentation + "  max = 3\n" }
    return text
  }
}
