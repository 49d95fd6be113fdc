import Glibc
import TestSupport

/// One run of one tool against a gateway that may go wrong, with all that is random in it drawn from a seed.
struct RandomRun: Sendable {
  enum Tool: String, Sendable, CaseIterable {
    case allocation = "bench-allocation"
    case concurrent = "bench-concurrent"
    case endToEnd = "bench-e2e"
  }

  /// A signal so many ms after the gateway's first request.
  struct Signal: Sendable {
    var number: Int32
    var afterMs: Int
  }

  let seed: UInt64
  var tool: Tool
  var shape: RunShape
  var script: FaultyGateway.Script
  var timeoutMs: Int
  var warmup: String?
  var holds = false
  var threads = 1
  var timeline: String?
  var formats: String?
  var printsJSON = false
  var signal: Signal?

  init(seed: UInt64) {
    self.seed = seed
    var random = SeededRandom(seed: seed)
    func happens(once times: Int) -> Bool { Int.random(in: 0..<times, using: &random) == 0 }
    tool = Tool.allCases.randomElement(using: &random) ?? .allocation
    shape = RunShape.draw(&random, hasBursts: tool == .concurrent)
    script = FaultyGateway.Script(seed: seed, delayMs: Int.random(in: 0...40, using: &random))
    // Where nobody waits in vain a slow machine is not to be an error.
    timeoutMs = 20_000
    if shape.canWarmUp, happens(once: 5) { warmup = happens(once: 2) ? "3" : "200ms" }
    holds = tool != .endToEnd && happens(once: 4)
    threads = happens(once: 3) ? Int.random(in: 2...3, using: &random) : 1
    if !shape.isBurst, happens(once: 3) { timeline = "100ms" }
    if happens(once: 5) { formats = "md,json,html,junit,csv,openmetrics" }
    printsJSON = happens(once: 4)
    if happens(once: 3) { script.saysSource = false }
    if happens(once: 4) { script.coldShare = Double.random(in: 0...1, using: &random) }
    // One of eight gateways does everything right, and one of eight lets only some in.
    switch Int.random(in: 0..<8, using: &random) {
    case 0: break
    case 1 where tool != .endToEnd:
      script.places = Int.random(in: 1...4, using: &random)
      script.refusesBeyond = happens(once: 2)
    default: script.fault = Self.fault(&random)
    }
    if tool != .endToEnd, happens(once: 6) {
      script.release = [.refused, .mute, .missing].randomElement(using: &random) ?? .refused
      script.releaseShare = happens(once: 2) ? 1 : 0.3
    }
    let slowest: [FaultyGateway.Fault.Kind] = [.late, .mute, .deaf]
    let leavesWaiting = script.fault.map { slowest.contains($0.kind) } ?? false
    if leavesWaiting || script.places != nil || script.release == .mute {
      timeoutMs = Int.random(in: 4...8, using: &random) * 100
    }
    if script.fault?.kind == .late { script.fault?.lengthMs = timeoutMs + 300 }
    if happens(once: 5) {
      signal = Signal(
        number: happens(once: 2) ? SIGINT : SIGTERM, afterMs: Int.random(in: 0...1500, using: &random))
    }
  }

  private static func fault(_ random: inout SeededRandom) -> FaultyGateway.Fault {
    var fault = FaultyGateway.Fault(kind: FaultyGateway.Fault.Kind.allCases.randomElement(using: &random) ?? .mute)
    let isPartial = Bool.random(using: &random)
    if isPartial { fault.share = Double.random(in: 0.02...0.5, using: &random) }
    fault.fromMs = Bool.random(using: &random) ? Int.random(in: 0...1200, using: &random) : 0
    fault.lengthMs = Int.random(in: 50...350, using: &random)
    fault.isOfEverything = Bool.random(using: &random)
    return fault
  }

  /// Without the gateway's address.
  var arguments: [String] {
    var words = shape.arguments + ["--timeout", "\(timeoutMs)ms", "--seed", "\(seed)", "--allow-saturated"]
    if let warmup { words += ["--warmup", warmup] }
    if holds { words.append("--hold") }
    if threads > 1 { words += ["--threads", "\(threads)"] }
    if let timeline { words += ["--timeline", timeline] }
    if let formats { words += ["--format", formats] }
    if printsJSON { words += ["--print", "json"] }
    return words
  }
}
