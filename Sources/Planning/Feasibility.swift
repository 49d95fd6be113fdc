import Latency
import TextFormatting

/// Input that no pool could serve, or that could not be simulated in a day.
package struct ImpossiblePlan: Sendable, Equatable {
  /// What has to be changed.
  package enum Cause: Sendable {
    case poolSize, instances, parallelStarts, maxSize, horizon, session
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

  private func room(_ candidates: [Candidate]) -> [ImpossiblePlan] {
    guard let capacity, let room = capacity.mostTasks, let most = capacity.most else { return [] }
    let arithmetic = "\(most) instances × \(capacity.slots) slots = \(room)"
    var found: [ImpossiblePlan] = []
    let (tasks, offer) = offered
    if tasks >= Double(room) {
      found.append(
        ImpossiblePlan(
          cause: .instances, sentence: "the users need more than there is: \(offer), and \(arithmetic): allow more"))
    }
    if let largest = candidates.map(\.poolSize).max(), largest > room {
      found.append(
        ImpossiblePlan(cause: .poolSize, sentence: "a pool of \(largest) has no room: \(arithmetic)"))
    }
    return found
  }

  private func starts(_ candidates: [Candidate]) -> [ImpossiblePlan] {
    let rate = arrivals.meanPerSecond
    let load = rate * times.taskStart.mean
    let arithmetic = "\(text(rate))/s × \(text(times.taskStart.mean)) s = \(text(load)) starts at once"
    var found: [ImpossiblePlan] = []
    if rules.afterRelease == .replace, rules.fallback != .refuse, rules.keeper == .pool {
      if let parallel = rules.parallelStarts, load >= Double(parallel) {
        found.append(
          ImpossiblePlan(
            cause: .parallelStarts,
            sentence: "the starts can't keep up: \(arithmetic) are needed, and \(parallel) are allowed: allow more"))
      }
      if let most = rules.maxSize, rules.fallback == .queue || rules.fallback == .wait, load >= Double(most) {
        found.append(
          ImpossiblePlan(
            cause: .maxSize,
            sentence: "the starts can't keep up: \(arithmetic) are needed, and \(most) are allowed: allow more"))
      }
    }
    let (tasks, offer) = offered
    let smallest: Double? =
      switch (rules.keeper, rules.fallback) {
      case (.pool, .wait) where rules.afterRelease == .replace: load
      case (.ecsService, .wait), (.ecsService, .queue): tasks
      default: nil
      }
    if let smallest, let size = candidates.map(\.poolSize).min(), Double(size) <= smallest {
      found.append(
        ImpossiblePlan(
          cause: .poolSize,
          sentence: "with a pool of \(size) ever more users would wait: "
            + "\(rules.keeper == .pool ? arithmetic : offer): give sizes from \(Int(min(smallest, 1e9)) + 1) on"))
    }
    return found
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
