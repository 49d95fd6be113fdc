import ArgumentParser
import LoadEngine
import Testing

@testable import InfraBench
import Latency
@testable import Results

/// Options of arrivals as a user writes them.
@Suite struct ArrivalOptionTests {
  private func load(_ arguments: [String]) throws -> (settings: LoadSettings, problems: [String]) {
    var reader = OptionReader(environment: [:])
    let command = try #require(try AllocationCommand.parseAsRoot(arguments) as? AllocationCommand)
    let settings = reader.load(command.load, command.arrivals, defaultCount: 10)
    return (settings, reader.problems.sentences)
  }

  static let plans: [([String], LoadPlan)] = [
    ([], .closedLoop(users: 1, count: 10)),
    (["--concurrency", "5", "--think-time", "1s"], .closedLoop(users: 5, count: 10, thinkTime: 1_000_000_000)),
    (["--rate", "200/s"], .openLoop(constant(200, 1), users: 100, count: 10)),
    (
      ["--rate", "30/m", "--max-in-flight", "7", "--drop-when-busy", "--precise", "--duration", "1m"],
      .openLoop(
        constant(30, 60), users: 7, count: nil, duration: .seconds(60), dropsWhenBusy: true, isPrecise: true)
    ),
    (
      ["--rate", "5/s", "--arrival", "poisson", "--seed", "42", "--count", "3", "--warmup", "2"],
      .openLoop(
        ArrivalSchedule(rate: rate(5, 1), arrival: .poisson(seed: 42)), users: 100, count: 3, warmup: .iterations(2))
    ),
    (
      ["--stages", "30s:10/s,0s:50/s,1m:0/s"],
      .openLoop(
        ArrivalSchedule(
          stages: [
            RateStage(duration: .seconds(30), target: rate(10, 1)), RateStage(duration: 0, target: rate(50, 1)),
            RateStage(duration: .seconds(60), target: rate(0, 1)),
          ], from: rate(0, 1), arrival: .constant),
        users: 100, count: nil)
    ),
    (
      ["--stages", "30s:10,30s:0", "--concurrency", "4"],
      .closedLoop(
        users: 10, count: nil,
        ramp: UserRamp(
          stages: [
            UserStage(duration: .seconds(30), target: 10), UserStage(duration: .seconds(30), target: 0),
          ], from: 4))
    ),
  ]

  private static func rate(_ starts: UInt64, _ seconds: UInt64) -> ArrivalRate {
    ArrivalRate(starts: starts, period: seconds * 1_000_000_000)
  }

  private static func constant(_ starts: UInt64, _ seconds: UInt64) -> ArrivalSchedule {
    ArrivalSchedule(rate: rate(starts, seconds), arrival: .constant)
  }

  @Test(arguments: plans) func optionsMakeAPlan(_ arguments: [String], _ plan: LoadPlan) throws {
    let (settings, problems) = try load(arguments)
    #expect(problems == [])
    #expect(settings.plan == plan)
  }

  static let refused: [([String], [String])] = [
    (["--rate", "200"], ["--rate"]), (["--rate", "0/s"], ["--rate"]), (["--rate=-1/s"], ["--rate"]),
    (["--rate", "1/fortnight"], ["--rate"]), (["--rate", "1e3/s"], ["--rate"]),
    (["--rate", "999999999999/s"], ["--rate"]), (["--stages", ""], ["--stages"]), (["--stages", "30s"], ["--stages"]),
    (["--stages", "30:10"], ["--stages"]), (["--stages", "30s:10/s,"], ["--stages"]),
    (["--stages", "30s:10/s,30s:10"], ["--stages"]), (["--stages", "30s:0/s"], ["--stages"]),
    (["--stages", "0s:10/s"], ["--stages"]), (["--stages", "25h:10/s"], ["--stages"]),
    (["--stages", "30s:10:5"], ["--stages"]), (["--threads", "0"], ["--threads"]),
    (["--threads", "1000"], ["--threads"]), (["--think-time", "5"], ["--think-time"]),
    (["--timeline", "1ms"], ["--timeline"]), (["--rate", "1/s", "--arrival", "bursty"], ["--arrival"]),
    (["--rate", "1/s", "--max-in-flight", "0"], ["--max-in-flight"]),
    (["--arrival", "poisson"], ["--arrival"]), (["--max-in-flight", "5"], ["--max-in-flight"]),
    (["--drop-when-busy"], ["--drop-when-busy"]), (["--precise"], ["--precise"]),
    (["--rate", "1/s", "--concurrency", "5", "--think-time", "1s"], ["--concurrency", "--think-time"]),
    (["--rate", "1/s", "--stages", "30s:5"], ["--stages"]),
    (["--stages", "30s:5/s", "--warmup", "5"], ["--warmup"]),
    (["--rate", "1/s", "--stages", "30s:5", "--concurrency", "5"], ["--concurrency", "--stages"]),
    // What is wrong by itself is said once, and nothing is held against it.
    (["--rate", "200", "--max-in-flight", "5", "--precise"], ["--rate"]),
    (["--rate", "200", "--concurrency", "5", "--think-time", "1s"], ["--rate"]),
    (["--stages", "30s:10/x", "--think-time", "1s"], ["--stages"]),
    (["--stages", "30s:x", "--precise", "--warmup", "5"], ["--stages"]),
    (["--stages", "30s:10/s,1/s", "--rate", "5/s", "--concurrency", "3"], ["--stages"]),
    (["--rate", "200", "--stages", "30s:5"], ["--rate"]), (["--arrival", "bursty"], ["--arrival"]),
    (["--max-in-flight", "0"], ["--max-in-flight"]),
    (["--rate", "1/s", "--concurrency", "0", "--think-time", "5"], ["--concurrency", "--think-time"]),
    (["--stages", "30s:5/s", "--warmup", "x"], ["--warmup"]),
  ]

  @Test(arguments: refused) func whatMakesNoSenseIsRefused(_ arguments: [String], _ options: [String]) throws {
    let named = try load(arguments).problems.map { String($0.prefix { $0 != ":" }) }
    #expect(named == options)
  }

  static let wrongStages: [(String, [String])] = [
    ("", ["'' is no stage", "30s:10/s or 30s:10"]), ("30s:10/s,", ["'' is no stage"]),
    ("30s:10,45s", ["'45s' is no stage"]), ("1s:2:3", ["'1s:2:3' is no stage"]),
    ("30s:10/s,30:20/s", ["'30:20/s'", "'30' is no duration", "250ms"]),
    ("30s:10/x", ["'30s:10/x'", "'10/x' is no rate", "200/s, 30/m or 5/h", "1000000/s"]),
    ("30s:1000001/s", ["'1000001/s' is no rate", "at most 1000000/s"]),
    ("30s:10,30s:20001", ["'30s:20001'", "'20001' is no number of users", "at most 20000"]),
    ("30s:many", ["'many' is no number of users", "10/s"]), ("30s:-1", ["'-1' is no number of users"]),
    ("30s:10/s,30s:10", ["'30s:10' is a stage of users, those before it are not"]),
    ("30s:10,10s:5,30s:10/s", ["'30s:10/s' is a stage of rates, those before it are not"]),
    ("30s:0/s,1m:0/s", ["end at 0"]), ("30s:0", ["end at 0"]), ("0s:10/s", ["no length"]),
    ("23h:1,2h:1", ["longer than 24h"]),
    (Array(repeating: "1s:1", count: 1001).joined(separator: ","), ["1001 stages", "at most 1000"]),
  ]

  @Test(arguments: wrongStages) func theWrongPartOfStagesIsNamed(_ text: String, _ words: [String]) throws {
    let problems = try load(["--stages", text]).problems
    #expect(problems.count == 1 && problems[0].hasPrefix("--stages: ") && problems[0].utf8.count < 300, "\(problems)")
    for word in words { #expect(problems[0].contains(word), "\(problems[0])") }
  }

  @Test func aWrongRateIsToldUnitsAndLimit() throws {
    let problem = try #require(try load(["--rate", "0/s"]).problems.first)
    #expect(problem.hasSuffix("such as 200/s, 30/m or 5/h, of more than 0 and at most 1000000/s"))
  }

  @Test func theResultSaysHowTheLoadCame() throws {
    let open = try load(["--rate", "0.5/s", "--arrival", "poisson", "--timeline", "2s"]).settings.parameters
    #expect(open["rate"] == "0.5/s" && open["arrival"] == "poisson" && open["maxInFlight"] == 100)
    #expect(open["timeline"] == "2s" && open["concurrency"] == nil && open["dropWhenBusy"] == false)
    let closed = try load(["--stages", "30s:10"]).settings.parameters
    #expect(
      closed["stages"] == "30s:10" && closed["rate"] == nil && closed["thinkTime"] == .string(DurationText.write(0)))
    #expect(try load(["--rate", "5/s"]).settings.showsIterations == false)
    #expect(closed["concurrency"] == 10)
    let ramp = try load(["--stages", "30s:10,30s:25,30s:0", "--concurrency", "4"]).settings
    #expect(ramp.parameters["concurrency"] == 25 && ramp.plan.users == 25)
  }
}
