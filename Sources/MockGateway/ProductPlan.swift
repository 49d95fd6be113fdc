import EmbeddedGateway
import FoundationEssentials
import Latency
import ProcessControl

/// The settings from `--profile product` and its further options.
struct ProductPlan: Equatable {
  private(set) var profile = ProductProfile()
  private var chunks = 5
  private var chunkDelay: Nanoseconds = .milliseconds(20)
  private var askEvery = 0
  /// The given options that only the stand-in uses for its answers.
  private var standInOptions: [String] = []

  private enum Name: String, CaseIterable {
    case embedded, product
  }

  /// `nil` for the embedded profile.
  init?(_ options: ProfileOptions, _ faults: FaultOptions, _ reader: inout ValueReader) {
    let ofTheAnswers: [(String, String?)] = [
      ("--chunks", options.chunks), ("--chunk-delay", options.chunkDelay), ("--ask-every", options.askEvery),
    ]
    let ofTheProfile: [(String, String?)] = [
      ("--token-file", options.tokenFile), ("--token-lifetime", options.tokenLifetime),
      ("--ping-timeout", options.pingTimeout), ("--idle-timeout", options.idleTimeout),
      ("--keep-sessions", options.keepSessions),
    ]
    guard let name = reader.choice(options.profile, "--profile", of: Name.self) else { return nil }
    guard name == .product else {
      for (option, value) in ofTheAnswers + ofTheProfile where value != nil {
        reader.note("\(option) belongs to --profile product")
      }
      return nil
    }
    if faults.fault != nil { reader.note("--fault is about acquires, which --profile product has not") }
    standInOptions = ofTheAnswers.filter { $0.1 != nil }.map(\.0)
    chunks = reader.number(options.chunks, "--chunks", in: 1...100_000) ?? chunks
    chunkDelay = reader.duration(options.chunkDelay, "--chunk-delay") ?? chunkDelay
    if chunkDelay > .seconds(3600) { reader.note("--chunk-delay is 1h at most") }
    askEvery = reader.number(options.askEvery, "--ask-every", in: 0...1_000_000) ?? askEvery
    profile.tokens = Self.tokens(options, &reader)
    profile.pingTimeout = Self.time(options.pingTimeout, "--ping-timeout", &reader) ?? profile.pingTimeout
    profile.idleTimeout = Self.time(options.idleTimeout, "--idle-timeout", &reader)
    profile.keepSessions = reader.duration(options.keepSessions, "--keep-sessions") ?? profile.keepSessions
  }

  /// A duration of more than zero.
  private static func time(_ text: String?, _ name: String, _ reader: inout ValueReader) -> Nanoseconds? {
    let time = reader.duration(text, name)
    if time == .zero { reader.note("\(name) is more than nothing") }
    return time
  }

  private static func tokens(_ options: ProfileOptions, _ reader: inout ValueReader) -> TokenRules {
    var rules = TokenRules()
    rules.lifetime = time(options.tokenLifetime, "--token-lifetime", &reader)
    guard let path = options.tokenFile else { return rules }
    guard let data = FileManager.default.contents(atPath: path) else {
      reader.note("--token-file '\(path)' can't be read")
      return rules
    }
    do {
      rules.known = try TokenRules.known(in: String(decoding: data, as: UTF8.self))
    } catch {
      reader.note("--token-file '\(path)': \(error)")
    }
    return rules
  }

  /// Reports the stand-in's options where another program gives the answers.
  func noteStandInOptions(_ reader: inout ValueReader) {
    for option in standInOptions { reader.note("\(option) is the stand-in's: leave it out with --command") }
  }

  /// The command that starts the stand-in for a user.
  func standIn(in directory: String, startupDelay: Nanoseconds?, _ reader: inout ValueReader) -> [String] {
    let path = "\(directory)/session-stand-in"
    if !FileManager.default.isExecutableFile(atPath: path) {
      reader.note("there is no program '\(path)': build it, or give --command")
    }
    func milliseconds(_ time: Nanoseconds) -> String { "\(time.milliseconds)ms" }
    var words = [path, "--chunks", "\(chunks)", "--chunk-delay", milliseconds(chunkDelay)]
    if askEvery > 0 { words += ["--ask-every", "\(askEvery)"] }
    if let startupDelay { words += ["--startup-delay", milliseconds(startupDelay)] }
    return words
  }
}
