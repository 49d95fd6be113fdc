import Latency
import TextFormatting

/// Input that no pool could serve, or that could not be simulated in a day.
package struct ImpossiblePlan: Sendable, Equatable {
  /// What has to be changed.
  package enum Cause: Sendable {
    case poolSize, instances, parallelStarts, maxSize, threshold, horizon, session
  }

  package var cause: Cause
  /// With the arithmetic, and what to write instead.
  package var sentence: String
}

extension PlanModel {
  /// The most arrivals of all runs and candidates, about half a day's work.
  private static let mostArrivals = 2e10
  /// The most arrivals of a run, each of which may wait at its end.
  private static let mostOfRun = 1e8
  /// The most tasks at one time, each of which needs about 150 bytes.
  private static let mostTasks = 1e7

  /// Everything because of which these candidates are impossible; empty where they are not.
  package func impossibilities(_ candidates: [Candidate]) -> [ImpossiblePlan] {
    room(candidates) + starts(candidates) + work(candidates)
  }

  /// The same of a daily profile's highest rate, which lasts for a part of the day: users wait then, and the rest of the
  /// day makes up for it.
  package func strainsOfPeak(_ candidates: [Candidate]) -> [String] {
    guard case .profile = arrivals, arrivals.highestPerSecond > arrivals.meanPerSecond else { return [] }
    var peak = self
    peak.arrivals = .poisson(perSecond: arrivals.highestPerSecond)
    return (peak.room(candidates) + peak.starts(candidates)).map(\.sentence)
  }

  private func text(_ value: Double) -> String { Self.number(value) }

  /// Arrivals a second, and the arithmetic of tasks at one time.
  private var offered: (tasks: Double, text: String) {
    let rate = arrivals.meanPerSecond
    let length = times.taskStart.mean + times.assign.mean + times.session.mean
    return (
      rate * length,
      "\(text(rate))/s × (\(text(times.taskStart.mean)) s start + \(text(times.assign.mean)) s assignment + "
        + "\(text(times.session.mean)) s session) = \(text(rate * length)) tasks at once"
    )
  }

  /// Whether rates say how many there are at one time. Recorded arrivals may come in a burst, whose rate lasts for a moment.
  private var isSteady: Bool {
    if case .recorded = arrivals { false } else { true }
  }

  private func room(_ candidates: [Candidate]) -> [ImpossiblePlan] {
    guard let capacity, let room = capacity.mostTasks, let most = capacity.most else { return [] }
    let arithmetic = "\(most) instances × \(capacity.slots) slots = \(room)"
    var found: [ImpossiblePlan] = []
    let largest = candidates.map(\.poolSize).max() ?? 0
    let (tasks, offer) = offered
    let (used, usedText) = ofUsers
    if isSteady, tasks >= Double(room) {
      found.append(
        ImpossiblePlan(
          cause: .instances, sentence: "the users need more than there is: \(offer), and \(arithmetic): allow more"))
    }
    if largest > room {
      found.append(
        ImpossiblePlan(cause: .poolSize, sentence: "a pool of \(largest) has no room: \(arithmetic)"))
    } else if isSteady, tasks < Double(room), keepsFull, used + Double(largest) > Double(room) {
      found.append(
        ImpossiblePlan(
          cause: .poolSize,
          sentence:
            "a pool of \(largest) leaves too little room for its users: \(usedText), and \(largest) of the pool "
            + "are more than \(arithmetic): allow more instances, or give smaller sizes"))
    }
    return found
  }

  /// Whether the pool is refilled to its size whatever the users need, so that its slots are lost to them.
  private var keepsFull: Bool {
    rules.keeper == .pool && rules.afterRelease == .replace && rules.threshold == nil && rules.maxSize == nil
      && rules.timeToLive == nil
  }

  /// Tasks of users at one time, whose slots the pool does not have.
  private var ofUsers: (tasks: Double, text: String) {
    let rate = arrivals.meanPerSecond
    let length = times.assign.mean + times.session.mean
    return (
      rate * length,
      "\(text(rate))/s × (\(text(times.assign.mean)) s assignment + \(text(times.session.mean)) s session) = "
        + "\(text(rate * length)) tasks of users at once"
    )
  }

  private func starts(_ candidates: [Candidate]) -> [ImpossiblePlan] {
    let never = neverOrdered + beyondMaxSize(candidates)
    guard never.isEmpty else { return never }
    return (isSteady ? limits : []) + queues(candidates)
  }

  /// Pools whose users wait for a task that nothing orders.
  private var neverOrdered: [ImpossiblePlan] {
    guard rules.keeper == .pool, rules.afterRelease == .replace, rules.fallback == .wait || rules.fallback == .queue
    else { return [] }
    if rules.maxSize == 0 {
      return [
        ImpossiblePlan(
          cause: .maxSize, sentence: "no task is ever ordered, and users would wait for ever: allow 1 or more")
      ]
    }
    if rules.threshold == 0, rules.fallback == .wait {
      return [
        ImpossiblePlan(
          cause: .threshold,
          sentence:
            "no task is ever ordered, because never fewer than 0 are warm or starting, and users would wait for "
            + "ever: give 1 or more, or another --fallback")
      ]
    }
    return []
  }

  private func beyondMaxSize(_ candidates: [Candidate]) -> [ImpossiblePlan] {
    guard rules.keeper == .pool, let most = rules.maxSize, most > 0, let largest = candidates.map(\.poolSize).max(),
      largest > most
    else { return [] }
    return [
      ImpossiblePlan(
        cause: .maxSize,
        sentence: "a pool of \(largest) is never full, because at most \(most) tasks are warm or starting: allow "
          + "\(largest) or more, or give smaller sizes")
    ]
  }

  /// Limits below the starts that users need.
  private var limits: [ImpossiblePlan] {
    let rate = arrivals.meanPerSecond
    let load = rate * times.taskStart.mean
    let arithmetic = "\(text(rate))/s × \(text(times.taskStart.mean)) s = \(text(load)) starts at once"
    func impossible(_ cause: ImpossiblePlan.Cause, _ allowed: Int) -> ImpossiblePlan {
      ImpossiblePlan(
        cause: cause,
        sentence: "the starts can't keep up: \(arithmetic) are needed, and \(allowed) are allowed: allow more")
    }
    guard rules.afterRelease == .replace, rules.fallback != .refuse else { return [] }
    var found: [ImpossiblePlan] = []
    // A service needs a start a user too: in place of the user's task, or for the user alone.
    if let parallel = rules.parallelStarts, load >= Double(parallel) {
      found.append(impossible(.parallelStarts, parallel))
    }
    let waits = rules.fallback == .queue || rules.fallback == .wait
    if rules.keeper == .pool, waits, let most = rules.maxSize, load >= Double(most) {
      found.append(impossible(.maxSize, most))
    }
    return found
  }

  /// Pools to which more users come than they have tasks for.
  private func queues(_ candidates: [Candidate]) -> [ImpossiblePlan] {
    guard let size = candidates.map(\.poolSize).min() else { return [] }
    let rate = arrivals.meanPerSecond
    let load = rate * times.taskStart.mean
    var smallest: Double?
    var arithmetic = "\(text(rate))/s × \(text(times.taskStart.mean)) s = \(text(load)) starts at once"
    switch (rules.keeper, rules.fallback) {
    case (.pool, .wait) where rules.afterRelease == .replace:
      smallest = load
      // A look orders no more than the pool is large.
      if case .every(let interval) = rules.replenish, rate * interval.seconds > load {
        smallest = rate * interval.seconds
        arithmetic =
          "\(text(rate))/s × \(text(interval.seconds)) s = \(text(rate * interval.seconds)) users from look to look, "
          + "each of which orders at most as many tasks as the pool has"
      }
    case (.ecsService, .wait), (.ecsService, .queue): (smallest, arithmetic) = offered
    default: break
    }
    if !isSteady, smallest != nil { (smallest, arithmetic) = (0, "none is ordered for them") }
    guard let smallest, Double(size) <= smallest else { return [] }
    return [
      ImpossiblePlan(
        cause: .poolSize,
        sentence: "with a pool of \(size) ever more users would wait: \(arithmetic): give sizes from "
          + "\(Int(min(smallest, 1e9)) + 1) on")
    ]
  }

  private func work(_ candidates: [Candidate]) -> [ImpossiblePlan] {
    let rate = arrivals.meanPerSecond
    let ofRun = rate * (schedule.horizon.seconds + schedule.warmup.seconds)
    let all = ofRun * Double(schedule.runs) * Double(candidates.count)
    var found: [ImpossiblePlan] = []
    if all > Self.mostArrivals || ofRun > Self.mostOfRun {
      found.append(
        ImpossiblePlan(
          cause: .horizon,
          sentence:
            "that is too much to simulate: \(text(rate))/s × \(text(schedule.horizon.seconds + schedule.warmup.seconds)) s = "
            + "\(text(ofRun)) arrivals a run, of at most 1e8, and × \(schedule.runs) runs × \(candidates.count) candidates = "
            + "\(text(all)), of at most 2e10: give a shorter --horizon, fewer --runs or fewer candidates"))
    }
    let load = rate * times.taskStart.mean
    if max(load, needsSessions ? offered.tasks : 0) > Self.mostTasks {
      found.append(
        ImpossiblePlan(
          cause: .session,
          sentence: "that is too much to simulate: \(offered.text), of at most 1e7: give shorter times or a lower rate")
      )
    }
    return found
  }
}
