import ArgumentParser
import Latency
import PlanReports
import Planning
import TestSupport
import Testing

@testable import InfraBench

struct PlanOptionTests {
  private func read(_ arguments: [String]) throws -> (settings: PlanSettings?, problems: [String]) {
    var reader = OptionReader(environment: [:])
    let settings = reader.plan(try PlanCommand.parse(arguments))
    return (settings, reader.problems.sentences)
  }

  private func right(_ arguments: [String]) throws -> PlanSettings {
    let (settings, problems) = try read(arguments)
    #expect(problems == [])
    return try #require(settings)
  }

  @Test func theDefaultsAreTheContracts() throws {
    let settings = try right(["--arrival-rate", "5/m", "--seed", "3"])
    #expect(settings.candidates == (1...10).map { Candidate(poolSize: $0) })
    var expected = PlanModel(arrivals: .poisson(perSecond: 5.0 / 60), times: PlanTimes())
    expected.schedule.seed = 3
    #expect(settings.model == expected)
    let rules = settings.model.rules
    #expect(rules.keeper == .pool && rules.fallback == .ownStart && rules.replenish == .onAcquire)
    #expect(rules.afterRelease == .replace && rules.parallelStarts == nil && rules.timeToLive == nil)
    #expect(settings.prices == nil && settings.requirements == [] && settings.notes == [])
    #expect(
      settings.inputs.filter { $0.source.hasPrefix("default") }.map(\.name).prefix(2) == ["assign", "task-start"])
  }

  @Test func aServiceWarmsUpLongerWhereItsSessionsVaryMuch() throws {
    func warmup(_ session: String) throws -> Nanoseconds {
      let settings = try right([
        "--arrival-rate", "5/m", "--keeper", "ecs-service", "--session", session, "--task-start", "20s", "--pool-size",
        "250",
      ])
      return settings.model.schedule.warmup
    }
    #expect(try warmup("exp:47m") == .seconds(8 * 3600))
    let long = try warmup("lognormal:10m,10h")
    #expect(long > .seconds(80 * 3600) && long < .seconds(95 * 3600), "\(long)")
  }

  @Test func everyOptionReachesTheModel() throws {
    let settings = try right([
      "--arrival-rate", "2/s", "--session", "const:5m", "--assign", "exp:200ms", "--task-start", "lognormal:5s,9s",
      "--instance-warm", "20s", "--instance-cold", "lognormal:80s,90s", "--pool-size", "8,2..4",
      "--replenish-threshold", "1", "--max-size", "99", "--replenish", "every:30s", "--parallel-starts", "40",
      "--after-release", "recycle", "--ttl", "30m", "--fallback", "queue", "--keeper", "pool", "--slots", "7",
      "--instances", "3..500", "--instance-pool", "0..1", "--instance-pool-refill", "45s", "--scale-out", "util>70%",
      "--scale-in", "10m", "--prices", "lab", "--horizon", "1h", "--warmup", "30m", "--runs", "5", "--seed", "9",
      "--require", "hit >= 99%", "--require", "wait.p99<5s",
    ])
    let model = settings.model
    #expect(model.arrivals == .poisson(perSecond: 2) && model.times.session == .constant(.seconds(300)))
    #expect(model.times.assign == .exponential(mean: .milliseconds(200)))
    #expect(model.times.taskStart == LogNormal(p50: .seconds(5), p99: .seconds(9)).map { .logNormal($0) })
    #expect(
      settings.candidates.map { [$0.poolSize, $0.instancePool] }
        == [8, 2, 3, 4].flatMap { [[$0, 0], [$0, 1]] })
    #expect(model.rules.threshold == 1 && model.rules.maxSize == 99 && model.rules.replenish == .every(.seconds(30)))
    #expect(model.rules.parallelStarts == 40 && model.rules.afterRelease == .recycle && model.rules.fallback == .queue)
    #expect(model.rules.timeToLive == .seconds(1800))
    let capacity = Capacity(
      slots: 7, fewest: 3, most: 500, poolRefill: .constant(.seconds(45)), scaleOut: .utilisationAbove(0.7),
      scaleIn: .seconds(600))
    #expect(model.capacity == capacity)
    #expect(model.schedule == RunSchedule(horizon: .seconds(3600), warmup: .seconds(1800), runs: 5, seed: 9))
    #expect(settings.prices == .lab && settings.requirements.map(\.expression) == ["hit >= 99%", "wait.p99 < 5s"])
  }

  @Test func theLabsPresetIsTheTeamsAndOtherOptionsWin() throws {
    let lab = try right(["--preset", "lab", "--seed", "1"])
    #expect(lab.candidates.map { [$0.poolSize, $0.instancePool] } == [[0, 2], [2, 2], [3, 2], [4, 2], [5, 3]])
    #expect(lab.model.arrivals == .poisson(perSecond: 5.0 / 60))
    #expect(lab.model.times.session == .exponential(mean: .seconds(1800)))
    #expect(lab.model.times.taskStart == .constant(.seconds(10)))
    #expect(lab.model.times.instanceWarm == .constant(.seconds(15)))
    #expect(lab.model.times.instanceCold == .constant(.seconds(180)))
    let capacity = lab.model.capacity
    #expect(capacity?.slots == 7 && capacity?.fewest == 1 && capacity?.most == 50)
    #expect(capacity?.poolRefill == .constant(.seconds(30)) && lab.model.schedule.horizon == .seconds(8 * 3600))
    #expect(lab.prices == .lab)
    let other = try right(["--preset", "lab", "--task-start", "5s", "--pool-size", "3", "--instances", "2..60"])
    #expect(other.model.times.taskStart == .constant(.seconds(5)) && other.candidates == [Candidate(poolSize: 3)])
    #expect(other.model.capacity?.most == 60 && other.model.capacity?.slots == 7)
  }

  /// Wrong values by option. Each is given beside one wrong value of every other option: all are named.
  private static let wrong = [
    "--arrival-rate": ["0/s", "5", "-5/m", "nan/m", "99999999999999999999/s"],
    "--session": ["exp:0s", "lognormal:2s,1s", "/nonexistent", "uniform:3s", "const:", "-5m"],
    "--assign": ["-1s", "nan", "inf"],
    "--task-start": ["10", "1e9s", "exp:", "lognormal:1s", "lognormal:1s,2s,3s", "99999999h"],
    "--instance-warm": ["1s"], "--instance-cold": ["1s"],
    "--pool-size": ["3..1", "a", "0..100000", "-1", "1..2..3", "1,,2", "999999999999999999999"],
    "--replenish-threshold": ["x"], "--max-size": ["-1"],
    "--replenish": ["every:0s", "never", "every:", "every:-5s"], "--parallel-starts": ["0", "1.5"],
    "--after-release": ["keep"], "--ttl": ["0s", "-1s"], "--fallback": ["hope"], "--keeper": ["me"],
    "--instances": ["1..5"], "--instance-pool": ["x", "2000..1"], "--instance-pool-refill": ["3s"],
    "--scale-out": ["free<2"], "--scale-in": ["5m"],
    "--prices": ["/nonexistent", "lab", "/dev/zero", "/tmp"], "--horizon": ["0s", "9999999h"],
    "--warmup": ["2", "-2h"],
    "--runs": ["0", "1e3"], "--seed": ["1.5", "-1"],
    "--require": ["hit", "fast", "instances <= 3", "hit >= nan%", "cost <= 100"], "--preset": ["team"],
    "--measured": ["/nonexistent.json", "/dev/null", "/tmp"],
  ]

  @Test func everyWrongValueIsNamedWithItsOptionAndAllAtOnce() throws {
    for round in 0..<(Self.wrong.values.map(\.count).max() ?? 0) {
      let given = Self.wrong.compactMapValues { $0.count > round ? $0[round] : nil }
      // What begins with a dash is joined to its option, because the parser would take it for another one.
      let users = given["--arrival-rate"] == nil ? ["--arrival-rate=5/m"] : []
      let problems = try read(users + given.map { "\($0.key)=\($0.value)" }).problems
      for (option, value) in given {
        #expect(problems.count { $0.hasPrefix("\(option): ") } == 1, "\(option) \(value) in \(problems)")
      }
      #expect(problems.count == given.count, "\(problems)")
    }
  }

  @Test(arguments: [
    (
      "--arrival-profile",
      ["9h:5/m", "0h:1/m,25h:5/m", "0h:1/m,9h:5/m,9h:6/m", "0h:0/m", "0h", "0h:x", "0h:1/m,9h:-1/m"]
    ),
    ("--arrivals", ["/nonexistent", "/dev/zero", "/tmp"]),
    ("--candidates", ["3", "3/x", "3/2", "1/0,", "-1/0"]),
  ])
  func wrongProfilesFilesAndPairsAreNamed(_ option: String, _ values: [String]) throws {
    for value in values {
      let users = option == "--candidates" ? ["--arrival-rate=5/m"] : []
      let problems = try read(users + ["\(option)=\(value)"]).problems
      #expect(problems.count == 1 && problems.first?.hasPrefix("\(option): ") == true, "\(value): \(problems)")
    }
  }

  @Test(arguments: [
    ["--slots", "7", "--instances", "0..5"], ["--slots", "7", "--instances", "5..1"],
    ["--slots", "7", "--instances", "1..1000000"], ["--slots", "7", "--scale-out", "free<0"],
    ["--slots", "7", "--scale-out", "util>100%"], ["--slots", "7", "--scale-in", "0s"],
    ["--slots", "7", "--instance-pool", "0..2000"], ["--keeper", "ecs-service", "--max-size", "5"],
    ["--keeper", "ecs-service", "--replenish", "every:5s"],
    ["--slots", "7", "--candidates", "1/1", "--pool-size", "3"],
    ["--arrival-profile", "0h:5/m"],
  ])
  func optionsThatDoNotFitAreRefused(_ arguments: [String]) throws {
    #expect(try read(["--arrival-rate", "5/m"] + arguments).problems.count == 1)
  }

  @Test(arguments: [
    (
      ["--slots", "7", "--instances", "1..20"], "--instances", "150.855 tasks at once, and 20 instances × 7 slots = 140"
    ),
    (["--slots", "7", "--instances", "1..30", "--pool-size", "300"], "--pool-size", "30 instances × 7 slots = 210"),
    (
      ["--parallel-starts", "1", "--task-start", "20s"], "--parallel-starts",
      "0.083333/s × 20 s = 1.66667 starts at once"
    ),
    (["--fallback", "wait", "--pool-size", "0..3"], "--pool-size", "give sizes from 1 on"),
    (["--horizon", "8000h", "--runs", "100000"], "--horizon", "arrivals a run"),
  ])
  func impossibleInputIsRefusedWithItsArithmetic(_ arguments: [String], _ option: String, _ arithmetic: String) throws {
    let problems = try read(["--arrival-rate", "5/m"] + arguments).problems
    #expect(
      problems.count == 1 && problems[0].hasPrefix("\(option): ") && problems[0].contains(arithmetic), "\(problems)")
  }

  @Test func theUsualCandidatesFitTheRules() throws {
    let wait = try right(["--arrival-rate", "30/m", "--fallback", "wait", "--task-start", "exp:10s"])
    #expect(wait.candidates.map(\.poolSize) == Array(6...15))
    let service = try right(["--arrival-rate", "5/m", "--keeper", "ecs-service", "--task-start", "20s"])
    #expect(service.candidates.first?.poolSize == 152 && service.candidates.count == 10)
    #expect(service.candidates.contains { $0.poolSize > 171 })
    #expect(service.model.schedule.warmup >= .seconds(18_200))
    // Instances and recycled tasks forget the beginning of a run as slowly as a service does.
    for rule in [["--slots", "7"], ["--after-release", "recycle"]] {
      let long = try right(["--arrival-rate", "1/m", "--session", "exp:8h"] + rule)
      #expect(long.model.schedule.warmup == .seconds(81 * 3600))
    }
  }

  /// 1 a minute on average over the day would ask for pools from 1 on, but a pool must get through the day's peak.
  @Test func theUsualCandidatesAreThoseOfTheDaysHighestRate() throws {
    let profile = ["--arrival-profile", "0h:1/m,9h:30/m,10h:1/m", "--session", "exp:5m"]
    let wait = try right(profile + ["--fallback", "wait", "--task-start", "exp:10s"])
    #expect(wait.candidates.map(\.poolSize) == Array(6...15))
    let service = try right(profile + ["--keeper", "ecs-service", "--task-start", "20s"])
    // 30/m × (300 s + 0.26 s + 20 s) = 160.1.
    #expect(service.candidates.first?.poolSize == 161)
  }

  @Test func allWrongPartsOfAListAreNamed() throws {
    let pairs = try read(["--arrival-rate", "5/m", "--slots", "7", "--candidates", "a/1,2/2,3/b"]).problems
    #expect(pairs.count == 1 && pairs[0].hasPrefix("--candidates: 'a/1' and '3/b' are wrong"), "\(pairs)")
    let profile = try read(["--arrival-profile", "0h:x,9h:5/m,1y:1/m"]).problems
    #expect(profile.count == 1 && profile[0].contains("'0h:x' and '1y:1/m' are no time"), "\(profile)")
  }

  @Test func theHelpIsTheGoldenOne() throws {
    try Golden.expect(PlanCommand.helpMessage(columns: 100), "bench-plan-help.txt")
  }
}
