import Glibc

/// Hit rates and times that are known without a simulation.
///
/// All take a = λ·E[L]: arrivals during a mean start. Only the mean of L matters, except in ``hitRateWhereMissesWait``.
package enum ClosedForms {
  /// Erlang's loss formula B(servers, load): the share of arrivals that find all servers busy and are lost.
  ///
  /// By the recursion B(0) = 1, B(n) = a·B(n−1) / (n + a·B(n−1)) (A. K. Erlang, 1917; Cooper: Introduction to Queueing
  /// Theory, 1981, ch. 3.2). It holds for any distribution of the service time.
  ///
  /// - Parameters:
  ///   - servers: 0 or more.
  ///   - load: 0 or more.
  package static func erlangB(servers: Int, load: Double) -> Double {
    var blocked = 1.0
    for server in 0..<max(0, servers) { blocked = load * blocked / (Double(server + 1) + load * blocked) }
    return blocked
  }

  /// Erlang's delay formula C(servers, load): the share of arrivals that have to wait for a server, with exponential
  /// service times. 1 where the load is no less than the servers, because the queue grows without end then.
  package static func erlangC(servers: Int, load: Double) -> Double {
    guard load < Double(servers) else { return 1 }
    let blocked = erlangB(servers: servers, load: load)
    let utilisation = load / Double(servers)
    return blocked / (1 - utilisation * (1 - blocked))
  }

  /// P(X ≤ most) where X is Poisson with this mean; 0 where `most` is negative.
  package static func poisson(atMost most: Int, mean: Double) -> Double {
    guard most >= 0 else { return 0 }
    guard mean > 0 else { return 1 }
    // The shorter tail is summed from its largest term outwards: each further term is smaller, and none underflows.
    if Double(most) < mean { return lowerTail(most, mean) }
    return 1 - upperTail(most + 1, mean)
  }

  private static func term(_ number: Int, _ mean: Double) -> Double {
    exp(Double(number) * log(mean) - mean - lgamma(Double(number) + 1))
  }

  private static func lowerTail(_ most: Int, _ mean: Double) -> Double {
    var (term, sum, number) = (term(most, mean), 0.0, most)
    while term > sum * 1e-17, number >= 0 {
      sum += term
      term *= Double(number) / mean
      number -= 1
    }
    return min(1, sum)
  }

  private static func upperTail(_ least: Int, _ mean: Double) -> Double {
    var (term, sum, number) = (term(least, mean), 0.0, least)
    while term > sum * 1e-17 {
      sum += term
      number += 1
      term *= mean / Double(number)
    }
    return min(1, sum)
  }
}

extension ClosedForms {
  /// A miss waits, and each request orders a start: P(Poisson(a) ≤ S − 1). A request finds a warm task if fewer than S
  /// starts are on their way, and their number is that of an M/G/∞ system.
  package static func hitRateWhereMissesQueue(size: Int, load: Double) -> Double {
    poisson(atMost: size - 1, mean: load)
  }

  /// A miss starts a task of its own, which is never in the pool, or is lost: 1 − B(S, a).
  package static func hitRateWhereMissesStartTheirOwn(size: Int, load: Double) -> Double {
    1 - erlangB(servers: size, load: load)
  }

  /// A miss waits and orders nothing: 1 − C(S, a). For exponential start times only.
  package static func hitRateWhereMissesWait(size: Int, load: Double) -> Double {
    1 - erlangC(servers: size, load: load)
  }

  /// The smallest size with which `hitRate` is at least `target`; nil where `most` is not enough.
  package static func smallestSize(for target: Double, upTo most: Int, hitRate: (Int) -> Double) -> Int? {
    (0...max(0, most)).first { hitRate($0) >= target }
  }

  /// The time in which `starts` constant starts of one length are done, `parallel` at a time: ⌈K/c⌉·L.
  package static func refill(starts: Int, parallel: Int, constant length: Double) -> Double {
    guard starts > 0 else { return 0 }
    return Double((starts - 1) / max(1, parallel) + 1) * length
  }

  /// The mean time in which `starts` exponential starts of one mean are done, `parallel` at a time: Σ L/min(c, i) for i
  /// from 1 to K, because the first of n running starts is done after L/n.
  package static func refill(starts: Int, parallel: Int, exponentialMean mean: Double) -> Double {
    guard starts > 0 else { return 0 }
    return (1...starts).reduce(0) { $0 + mean / Double(min(max(1, parallel), $1)) }
  }

  /// The variance of the number of misses over their mean, in a long time: 1 for misses that are independent, more where
  /// they come together; infinite where there is no steady state. By the birth and death process of missing tasks, with
  /// exponential starts: M/M/∞ where each request orders a start (``Formula/Kind/poisson``), the same up to `size` where
  /// misses are lost to the pool (``Formula/Kind/erlangB``), and M/M/S where misses wait and order nothing
  /// (``Formula/Kind/erlangC``): there only `size` starts are under way, however many users wait.
  ///
  /// A miss finds the process in a state of `size` or more. With π the states' shares, f = 1 there and else 0, and f̄ the
  /// miss rate, the integral of f over a long time T has the variance 2·T·Σₙ (Σₖ≤ₙ πₖ(f̄ − fₖ))² / (λ·πₙ) (Whitt:
  /// Asymptotic formulas for Markov processes with applications to simulation, Operations Research 40 (1992)).
  package static func dispersionOfMisses(size: Int, load: Double, kind: Formula.Kind) -> Double {
    guard load > 0, size >= 0 else { return 1 }
    if kind == .erlangC, load >= Double(size) { return .infinity }
    // The states of M/M/S from `size` on are added by their sum, since there are the more the nearer it is to its limit.
    let last = kind == .poisson ? max(size, Int(load)) + Int(10 * load.squareRoot()) + 20 : size
    // In units of the mean start: λ = a. Shares relative to the largest, which is 1, cannot overflow.
    let peak = min(last, Int(load))
    var shares = [Double](repeating: 0, count: last + 1)
    shares[peak] = 1
    for state in stride(from: peak - 1, through: 0, by: -1) {
      shares[state] = shares[state + 1] * Double(state + 1) / load
    }
    for state in stride(from: peak + 1, through: last, by: 1) {
      shares[state] = shares[state - 1] * load / Double(state)
    }
    // Beyond `size` each share of M/M/S is ρ times the one before, with ρ = a/S.
    let utilisation = kind == .erlangC ? load / Double(size) : 0
    let ofMisses = shares[size...].reduce(0, +) / (1 - utilisation)
    let all = shares[..<size].reduce(0, +) + ofMisses
    let missing = ofMisses / all
    guard missing > 0 else { return 1 }
    // Below `size` the inner sum is f̄·Σₖ≤ₙ πₖ; from there on it is (1 − f̄)·Σₖ>ₙ πₖ, since the whole sum is 0. Neither
    // form subtracts numbers that are nearly equal.
    var variance = 0.0
    var below = 0.0
    for state in 0..<size {
      below += shares[state] / all
      if shares[state] > 0 { variance += 2 * missing * missing * below * below * all / (load * shares[state]) }
    }
    if kind == .erlangC {
      // Σₖ>ₙ πₖ = πₙ·ρ/(1 − ρ), and the πₙ add up to f̄.
      let inner = (1 - missing) * utilisation / (1 - utilisation)
      variance += 2 * inner * inner * missing / load
    }
    var beyond = 0.0
    for state in stride(from: last - 1, through: size, by: -1) {
      beyond += shares[state + 1] / all
      let inner = (1 - missing) * beyond
      if shares[state] > 0 { variance += 2 * inner * inner * all / (load * shares[state]) }
    }
    return 1 + load * variance / missing
  }
}
