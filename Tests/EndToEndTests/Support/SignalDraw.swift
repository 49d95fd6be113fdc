import Glibc
import TestSupport
import Testing

/// One run that signals end, as it is drawn from a seed: of which tool, at what target, and which signals come when. Pure.
struct SignalDraw: Sendable, CustomTestStringConvertible {
  /// What is measured; all but the embedded gateway outlive the tool, and are asked what was left in them.
  enum Target: Sendable, Equatable {
    case embedded
    /// The program mock-gateway, with so many warm tasks.
    case mockGateway(warm: Int)
    /// The same, of which the tool sees the ECS endpoint alone.
    case mockECS
    case ledger(LedgerGateway.Rules)
    /// A directory, given by `--root` or the tool's own.
    case directory(isGiven: Bool)
  }

  /// A way to run a tool.
  struct Setup: Sendable {
    var tool: String
    var target: Target
    var options: [String]
    /// What such a run usually takes, in ms.
    var usualLength = 1500
    /// How many lines `Run N:` it prints at most.
    var runs = 0
  }

  /// When the first signal is sent.
  enum Moment: Sendable {
    case milliseconds(Int)
    /// When the line of this run was printed.
    case afterRun(Int)
    /// When the target was sent so many requests.
    case afterRequest(Int)
  }

  /// Who is sent a signal.
  enum Receiver: Sendable, CaseIterable {
    case tool
    /// The tool's process group, as `timeout` and terminals do it.
    case group
    /// The tool and everything that it has started, as service managers do it.
    case everyProcess
  }

  struct Sending: Sendable {
    var signal: Int32
    var receiver: Receiver
  }

  let setup: Setup
  let moment: Moment
  let first: Sending
  let second: Sending?
  /// Between the two, in ms: well within the second in which two signals are one.
  let pause: Int
  let number: Int
  let seed: UInt64

  /// Draw `number` of a tool; its way to be run goes round, so that few draws try each.
  init(_ setups: [Setup], number: Int, seed: UInt64) {
    var random = SeededRandom(seed: seed &* 1_000_003 &+ UInt64(number))
    setup = setups[(number + Int(seed % 97)) % setups.count]
    let signals = [SIGINT, SIGTERM, SIGHUP]
    func draw<Value>(_ values: [Value]) -> Value { values[Int.random(in: 0..<values.count, using: &random)] }
    first = Sending(signal: draw(signals), receiver: draw([.tool, .tool, .group, .everyProcess]))
    let again = Sending(signal: draw([first.signal, draw(signals)]), receiver: draw([.tool, .group, .group]))
    second = Bool.random(using: &random) ? again : nil
    pause = Int.random(in: 0...300, using: &random)
    let milliseconds = Int.random(in: 0...setup.usualLength * 6 / 5, using: &random)
    let isByEvent = Int.random(in: 0..<10, using: &random) < 4
    if case .ledger = setup.target, isByEvent {
      moment = .afterRequest(Int.random(in: 1...24, using: &random))
    } else if setup.runs > 0, isByEvent {
      moment = .afterRun(Int.random(in: 1...setup.runs, using: &random))
    } else {
      moment = .milliseconds(milliseconds)
    }
    self.number = number
    self.seed = seed
  }

  var testDescription: String {
    let sent = [first, second].compactMap { $0 }.map { "\(Self.name($0.signal)) to \($0.receiver)" }
    return "draw \(number) of seed \(seed): \(setup.tool) \(setup.options.joined(separator: " ")) at \(setup.target), "
      + "\(moment): \(sent.joined(separator: ", \(pause) ms later "))"
  }

  private static func name(_ signal: Int32) -> String {
    [SIGINT: "SIGINT", SIGTERM: "SIGTERM", SIGHUP: "SIGHUP"][signal] ?? "\(signal)"
  }

  // MARK: The ways to run the tools

  /// So many draws of each tool.
  static func draws(ofEach count: Int, seed: UInt64) -> [SignalDraw] {
    let tools = [allocation, concurrent, endToEnd, exhaustion, api, directories]
    return tools.enumerated().flatMap { index, setups in
      (0..<count).map { SignalDraw(setups, number: $0, seed: seed &+ UInt64(index) &* 1000) }
    }
  }

  private static let late = Target.ledger(.init(acquireSeconds: 0.3))
  private static let muteAtTimes = Target.ledger(.init(acquireSeconds: 0.02, muteAcquires: true))
  private static let refusing = Target.ledger(.init(acquireSeconds: 0.01, releases: .refusedAtTimes))
  private static let mute = Target.ledger(.init(acquireSeconds: 0.01, releases: .unanswered))

  private static func of(
    _ tool: String, _ target: Target, _ options: String, length: Int = 1500, runs: Int = 0
  ) -> Setup {
    Setup(
      tool: tool, target: target, options: options.split(separator: " ").map(String.init), usualLength: length,
      runs: runs)
  }

  private static let allocation = [
    of("bench-allocation", .mockGateway(warm: 3), "--count 40 --think-time 20ms", runs: 40),
    of("bench-allocation", mute, "--count 30 --hold --timeout 8s", runs: 20),
    of("bench-allocation", .embedded, "--pool-size 2 --task-start-delay 50ms --count 10", length: 2500, runs: 10),
    of("bench-allocation", .mockGateway(warm: 3), "--count 8 --hold", runs: 8),
    of("bench-allocation", late, "--count 30 --concurrency 3 --timeout 8s", length: 2500, runs: 20),
    of("bench-allocation", .embedded, "--pool-size 4 --task-start-delay 50ms --count 8 --hold", length: 2500, runs: 8),
    of("bench-allocation", muteAtTimes, "--count 30 --think-time 20ms --timeout 8s", runs: 4),
    of("bench-allocation", .mockGateway(warm: 3), "--rate 40/s --duration 1500ms --max-in-flight 4", length: 2500),
    of("bench-allocation", refusing, "--count 30 --think-time 20ms --timeout 8s", runs: 30),
  ]

  private static let concurrent = [
    of("bench-concurrent", .mockGateway(warm: 3), "--concurrency 3 --bursts 15", runs: 40),
    of("bench-concurrent", refusing, "--concurrency 4 --bursts 8 --timeout 8s", runs: 30),
    of("bench-concurrent", .embedded, "--pool-size 2 --task-start-delay 50ms --concurrency 2 --bursts 5", length: 3000),
    of("bench-concurrent", .mockGateway(warm: 0), "--cold-by run-task --concurrency 2 --bursts 5", length: 2500),
    of("bench-concurrent", late, "--concurrency 4 --beyond 2 --bursts 4 --timeout 8s", length: 2500, runs: 18),
    of("bench-concurrent", .mockGateway(warm: 3), "--concurrency 3 --hold --bursts 2", runs: 3),
    of("bench-concurrent", mute, "--concurrency 3 --bursts 4 --timeout 8s", runs: 3),
    of("bench-concurrent", .mockGateway(warm: 3), "--concurrency 2 --duration 1500ms", length: 2500),
    of("bench-concurrent", muteAtTimes, "--concurrency 3 --bursts 4 --timeout 8s", runs: 2),
  ]

  private static let endToEnd = [
    of("bench-e2e", .mockGateway(warm: 3), "--count 20", length: 2500, runs: 20),
    of("bench-e2e", .embedded, "--pool-size 2 --task-start-delay 50ms --count 5", length: 3500, runs: 5),
    of("bench-e2e", late, "--count 20 --concurrency 2 --timeout 8s", length: 2500, runs: 6),
    of("bench-e2e", .mockGateway(warm: 0), "--cold-by run-task --count 8 --concurrency 2", length: 2500, runs: 8),
    of("bench-e2e", refusing, "--count 20 --timeout 8s", runs: 20),
    of("bench-e2e", .mockGateway(warm: 3), "--count 30 --concurrency 3", length: 2500, runs: 20),
    of("bench-e2e", muteAtTimes, "--count 20 --timeout 8s", runs: 4),
  ]

  private static let exhaustion = [
    of("bench-exhaustion", .mockGateway(warm: 3), "--cycles 3 --settle 0s", length: 3500),
    of(
      "bench-exhaustion", .embedded,
      "--pool-size 2 --task-start-delay 50ms --cycles 2 --settle 0s --poll-interval 20ms", length: 4000),
    of(
      "bench-exhaustion", .mockECS, "--drain-by stop-tasks --confirm-stop warm-pool --cycles 2 --settle 0s",
      length: 3500),
    of("bench-exhaustion", late, "--drain-count 3 --settle 0s", length: 2500),
    of("bench-exhaustion", .mockGateway(warm: 3), "--release at-end --settle 0s", length: 2500),
    of("bench-exhaustion", mute, "--drain-count 3 --settle 0s --release at-end", length: 2500),
    of("bench-exhaustion", muteAtTimes, "--drain-count 6 --settle 0s --timeout 8s", length: 2500),
  ]

  private static let api = [
    of("bench-api", .mockECS, "--iterations 30 --rate 50/s --force-rate", runs: 30),
    of("bench-api", .embedded, "--pool-size 2 --iterations 10", length: 3000, runs: 10),
    of("bench-api", .mockECS, "--iterations 3 --rate 2/s", length: 2500, runs: 3),
  ]

  private static let directories = [
    of("bench-dirinit", .directory(isGiven: false), "--duration 1s", length: 2500),
    of("bench-dirinit", .directory(isGiven: true), "--count 3000 --writers 2", length: 2000),
    of("bench-dirinit", .directory(isGiven: true), "--count 300 --fsync --writers 3", length: 2000),
    of("bench-dirinit", .directory(isGiven: false), "--count 20", length: 500),
  ]
}
