import Glibc
import Latency
import Statistics
import TextFormatting

/// The formula that gives the hit rate of a pool, and its load.
package struct Formula: Sendable, Equatable {
  package enum Kind: String, Sendable {
    case poisson, erlangB = "erlang-b", erlangC = "erlang-c"
  }

  package let kind: Kind
  /// Arrivals during the mean time for which a task is missing.
  package let load: Double
  /// In words, such as `1 − ErlangB(S, a)`.
  package let text: String

  /// The hit rate of a pool of this size, 0…1.
  package func hitRate(size: Int) -> Double {
    switch kind {
    case .poisson: ClosedForms.hitRateWhereMissesQueue(size: size, load: load)
    case .erlangB: ClosedForms.hitRateWhereMissesStartTheirOwn(size: size, load: load)
    case .erlangC: ClosedForms.hitRateWhereMissesWait(size: size, load: load)
    }
  }

  /// How far a simulation with this number of arrivals may be from the formula by chance, in 99.99 of 100 cases.
  ///
  /// Where misses are rare the runs of a simulation hardly show how much they differ, so the formula's own variance
  /// counts too. A Poisson number is skewed; the Cornish–Fisher term (z² − 1)/6 allows for that.
  ///
  /// - Parameter memory: how long the number of missing tasks depends on what it was, in units of that time where they
  ///   are missing for exponential lengths, for which the variance is known. At least 1.
  func chance(size: Int, arrivals: Double, memory: Double) -> Double {
    let missing = 1 - hitRate(size: size)
    let ofExponential = ClosedForms.dispersionOfMisses(size: size, load: load, kind: kind)
    let dispersion = 1 + (ofExponential - 1) * memory
    let z = NormalDistribution.quantile(0.99995)
    return z * sqrt(missing * dispersion / arrivals) + (z * z - 1) / 6 * dispersion / arrivals
  }
}

/// Which formula applies to a model, and why; or why none does.
package struct FormulaChoice: Sendable, Equatable {
  /// Nil where none applies.
  package var formula: Formula?
  /// Sentences.
  package var reasons: [String]
  /// Why the simulation is not held against the formula, which is of the steady state; nil where it is.
  package var reasonNotCompared: String?
}

extension PlanModel {
  /// Which formula gives the hit rate of a pool of this size, and why.
  package func formulaChoice(size: Int) -> FormulaChoice {
    let obstacles = obstacles(size: size)
    guard obstacles.isEmpty, case .poisson(let rate) = arrivals else {
      return FormulaChoice(formula: nil, reasons: obstacles)
    }
    let missing = self.missing.mean
    let load = rate * missing
    let arithmetic =
      "a = λ·E[L] = \(Self.number(rate))/s × \(Self.number(missing)) s = \(Self.number(load))"
      + (rules.keeper == .pool
        ? ", with L a task's start" : ", with L a session, its assignment and the start that follows it")
    var choice = FormulaChoice(formula: formula(load: load), reasons: [])
    choice.reasons = [
      "arrivals are Poisson at one rate, and starts are as many at a time as are ordered: "
        + "the formula \(choice.formula?.text ?? "") holds",
      why, arithmetic,
    ]
    let settling = self.missing.settling
    if schedule.warmup.seconds < settling {
      let multiple = self.missing.memory > 1 ? "10·E[L]·(1 + cv²)/2, since L varies much," : "ten times E[L]"
      choice.reasonNotCompared =
        "the formula is of the steady state, which takes about \(multiple) = \(Self.number(settling)) s, and the "
        + "warm-up is \(DurationText.write(schedule.warmup))"
    } else if choice.formula?.kind == .erlangC, load >= Double(size) {
      choice.reasonNotCompared = "there is no steady state: a is no less than the size"
    }
    return choice
  }

  private func formula(load: Double) -> Formula {
    switch (rules.keeper, rules.fallback) {
    case (.ecsService, _): Formula(kind: .erlangB, load: load, text: "1 − ErlangB(N, λ·(E[session] + E[L]))")
    case (.pool, .queue): Formula(kind: .poisson, load: load, text: "P(Poisson(a) ≤ S − 1)")
    case (.pool, .wait): Formula(kind: .erlangC, load: load, text: "1 − ErlangC(S, a)")
    case (.pool, .ownStart), (.pool, .refuse): Formula(kind: .erlangB, load: load, text: "1 − ErlangB(S, a)")
    }
  }

  private var why: String {
    switch (rules.keeper, rules.fallback) {
    case (.ecsService, _):
      "a task of the service is missing from its assignment until the start of the next one is done; a user who finds "
        + "none takes none"
    case (.pool, .queue): "each request orders a start, so the starts under way are those of an M/G/∞ system"
    case (.pool, .wait):
      "only a task that is given out is replaced, so the pool is an M/M/S queue whose servers are starts"
    case (.pool, .ownStart): "a miss leaves the pool as it is, so the starts of the pool are an M/G/S/S loss system"
    case (.pool, .refuse): "a miss orders nothing, so the starts of the pool are an M/G/S/S loss system"
    }
  }

  /// Why no formula applies; empty where one does.
  private func obstacles(size: Int) -> [String] {
    var reasons: [String] = []
    switch arrivals {
    case .poisson: break
    case .profile: reasons.append("the arrival rate changes with the time of day")
    case .recorded: reasons.append("arrivals are those of a file, and no Poisson process")
    }
    if capacity != nil { reasons.append("a start may wait for an instance") }
    if rules.parallelStarts != nil { reasons.append("a start may wait for other starts") }
    if case .every = rules.replenish { reasons.append("a missing task is ordered only when the keeper looks") }
    if rules.timeToLive != nil { reasons.append("warm tasks end by age") }
    if rules.afterRelease == .recycle { reasons.append("tasks come back from ended sessions") }
    if let threshold = rules.threshold, threshold < size, rules.keeper == .pool {
      reasons.append("not each missing task is ordered at once: the threshold is below the size")
    }
    if let most = rules.maxSize, rules.keeper == .pool, most < size || rules.fallback == .queue {
      reasons.append("the largest size may keep a start from being ordered")
    }
    switch (rules.keeper, rules.fallback) {
    case (.ecsService, .queue), (.ecsService, .wait):
      reasons.append(
        "users wait for tasks whose time with a user is a session and a start, for which there is no formula")
    case (.pool, .wait) where !times.taskStart.isExponential:
      reasons.append("where a miss waits and orders nothing, the formula is of exponential starts alone")
    default: break
    }
    return reasons
  }

  /// What is known beside the hit rate, in sentences: how long a drained pool takes to be full again, and how many users
  /// are there at one time.
  package func otherFigures(size: Int) -> [String] {
    [refill(size: size), usersAtOnce].compactMap { $0 }
  }

  private func refill(size: Int) -> String? {
    guard capacity == nil, rules.keeper == .pool, rules.replenish == .onAcquire, size > 0 else { return nil }
    guard rules.maxSize ?? size >= size else { return nil }
    let parallel = min(rules.parallelStarts ?? size, size)
    let begin = "a drained pool of \(size) is full again after"
    let length = times.taskStart.mean
    switch times.taskStart {
    case .constant:
      let time = ClosedForms.refill(starts: size, parallel: parallel, constant: length)
      return "\(begin) ⌈\(size)/\(parallel)⌉ × \(Self.number(length)) s = \(Self.number(time)) s"
    case .exponential:
      let time = ClosedForms.refill(starts: size, parallel: parallel, exponentialMean: length)
      return
        "\(begin) Σ \(Self.number(length)) s / min(\(parallel), i), i = 1…\(size), = \(Self.number(time)) s on average"
    case .logNormal, .measured, .sum: return nil
    }
  }

  /// Users with a session are Poisson where arrivals are, whatever the pool (M/G/∞), unless some get no task: they are
  /// refused, or the instances are bounded, which refuses users or keeps them waiting.
  private var usersAtOnce: String? {
    guard case .poisson(let rate) = arrivals, needsSessions, rules.fallback != .refuse, capacity?.most == nil else {
      return nil
    }
    let mean = rate * times.session.mean
    var most = Int(mean)
    while ClosedForms.poisson(atMost: most, mean: mean) < 0.99 { most += 1 }
    return
      "users with a session are Poisson with mean λ·E[session] = \(Self.number(mean)): in 99 % of the time at most \(most)"
  }

  /// A number with about six figures, without zeros at its end.
  static func number(_ value: Double) -> String {
    let text = abs(value) < 1 ? NumberText.decimals(value, 6) : NumberText.fixed(value, significant: 6)
    guard text.contains("."), !text.contains("e") else { return text }
    return String(text.reversed().drop { $0 == "0" }.drop { $0 == "." }.reversed())
  }
}
