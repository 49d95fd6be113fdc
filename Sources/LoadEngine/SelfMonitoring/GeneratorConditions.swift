import Latency

/// Conditions of the machine that can disturb the load generator's figures. They lead to notes, not to a verdict.
public struct GeneratorConditions: Sendable {
  /// Where the target of a run runs.
  public enum TargetLocation: Sendable, Equatable {
    /// Beyond a network, or the target is no server.
    case elsewhere
    /// A server on this machine.
    case loopback
    /// A child process of this one. It inherits the pinning, so it always shares this process' cores.
    case ownChild
  }

  struct Reading: Sendable, Equatable {
    var at: Instant
    var cpu: MachineCPUTime?
    var involuntarySwitches: UInt64

    static func now() -> Reading {
      Reading(at: MonotonicClock.now(), cpu: .current(), involuntarySwitches: ContextSwitches.involuntary)
    }
  }

  struct Processors: Sendable, Equatable {
    var online: Set<Int>
    var allowed: Set<Int>
    var governors: [Int: String]

    static func current() -> Processors {
      let online = ProcessorSet.online() ?? []
      let allowed = ProcessorSet.allowed() ?? online
      return Processors(online: online, allowed: allowed, governors: FrequencyGovernor.current(of: allowed))
    }
  }

  private static let stealBound = 0.01
  private static let switchesPerSecondBound = 100.0

  private let begin = Reading.now()

  /// Begins to watch.
  public init() {}

  /// Notes on disturbances since ``init()``; empty when there were none.
  ///
  /// - Parameter isGateway: whether the target is a gateway, so that the notes can advise `mock-gateway` and
  ///   `--gateway-url`.
  public func notes(target: TargetLocation, isGateway: Bool) -> [String] {
    Self.notes(from: begin, to: .now(), processors: .current(), target: target, isGateway: isGateway)
  }

  static func notes(
    from begin: Reading, to end: Reading, processors: Processors, target: TargetLocation, isGateway: Bool
  ) -> [String] {
    [
      stealNote(begin, end), preemptionNote(begin, end), governorNote(processors),
      sharedCoresNote(processors, target, isGateway: isGateway),
    ].compactMap(\.self)
  }

  private static func stealNote(_ begin: Reading, _ end: Reading) -> String? {
    guard let earlier = begin.cpu, let share = end.cpu?.stealShare(since: earlier), share > stealBound else {
      return nil
    }
    return "the hypervisor kept \(percent(share)) of the CPU time from this machine (steal): its pauses are in the "
      + "latencies"
  }

  private static func preemptionNote(_ begin: Reading, _ end: Reading) -> String? {
    guard end.involuntarySwitches >= begin.involuntarySwitches, end.at >= begin.at else { return nil }
    // A run shorter than a second counts as a second: a few switches in a few ms are no rate.
    let seconds = max(1, (end.at - begin.at).seconds)
    let rate = Double(end.involuntarySwitches - begin.involuntarySwitches) / seconds
    guard rate > switchesPerSecondBound else { return nil }
    return "the load generator was interrupted by other work on its cores \(UInt64(min(rate, 1e18))) times a second "
      + "(involuntary context switches)"
  }

  private static func governorNote(_ processors: Processors) -> String? {
    let others = processors.governors.filter { $0.value != "performance" }
    guard !others.isEmpty else { return nil }
    let names = Set(others.values).sorted().joined(separator: ", ")
    return "the frequency governor of \(others.count) of \(cores(processors.allowed.count)) is \(names): the clock may "
      + "be low at first; 'cpupower frequency-set -g performance' keeps it high"
  }

  private static func sharedCoresNote(
    _ processors: Processors, _ target: TargetLocation, isGateway: Bool
  ) -> String? {
    switch target {
    case .elsewhere: return nil
    case .ownChild: break
    case .loopback: if processors.allowed.isStrictSubset(of: processors.online) { return nil }
    }
    return "target and load generator share \(cores(processors.allowed.count)), and each takes time from the other: "
      + apart(processors.online.sorted(), target, isGateway: isGateway)
  }

  private static func apart(_ online: [Int], _ target: TargetLocation, isGateway: Bool) -> String {
    guard online.count > 1, let last = online.last else { return "put the target on another machine" }
    guard isGateway else {
      return target == .ownChild
        ? "only a target on another machine shows its own latency"
        : "put the target on another machine, or pin each to cores of its own with taskset"
    }
    let others = online.count == 2 ? "\(last)" : "\(online[1])-\(last)"
    return "start the target by itself and pin both, as in 'taskset -c \(online[0]) mock-gateway' and 'taskset -c "
      + "\(others)' before this tool with --gateway-url"
  }

  private static func cores(_ number: Int) -> String { number == 1 ? "1 core" : "\(number) cores" }

  private static func percent(_ share: Double) -> String {
    let tenths = Int((share * 1000).rounded())
    return "\(tenths / 10).\(tenths % 10) %"
  }
}
