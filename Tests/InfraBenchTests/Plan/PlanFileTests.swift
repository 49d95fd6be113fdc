import ArgumentParser
import Latency
import PlanReports
import Planning
import Results
import TestSupport
import Testing

@testable import InfraBench

/// Files that a plan is made from: arrivals, sessions, prices, results; right ones and hostile ones.
struct PlanFileTests {
  private let scratch: ScratchDirectory

  init() throws { scratch = try ScratchDirectory() }

  private func read(_ arguments: [String]) throws -> (settings: PlanSettings?, problems: [String]) {
    var reader = OptionReader(environment: [:])
    let settings = reader.plan(try PlanCommand.parse(arguments))
    return (settings, reader.problems.sentences)
  }

  // MARK: Arrivals and sessions

  private static func arrivals(_ text: String) throws -> [Double] {
    try PlanFile(Array(text.utf8)).arrivals().instants.map(\.seconds)
  }

  @Test func anArrivalIsAnInstantALine() throws {
    #expect(try Self.arrivals("1.5\n2\n2\r\n\n 10.25 \n") == [0, 0.5, 0.5, 8.75])
    #expect(
      try Self.arrivals("2026-11-20T09:00:00Z\n2026-11-20T09:00:01.5Z\n2026-11-20T10:01:00+01:00\n") == [0, 1.5, 60])
    // Across a leap day, and into a new year.
    #expect(try Self.arrivals("2028-02-28T23:59:59Z\n2028-03-01T00:00:00Z") == [0, 86_401])
    #expect(try Self.arrivals("2026-12-31T23:59:59.999999999Z\n2027-01-01T00:00:00Z") == [0, 1e-9])
  }

  @Test(arguments: [
    ("", "has no arrival"), ("\n\n", "has no arrival"), ("1\nx\n", "line 2: 'x' is no instant"),
    ("5\n4\n", "line 2 is before the line above it"), ("nan\n", "line 1: 'nan'"), ("-1\n", "line 1: '-1'"),
    ("1e9\n", "line 1: '1e9'"), ("99999999999999999999999\n", "line 1"), ("2026-02-29T00:00:00Z\n", "line 1"),
    ("2026-11-20T24:00:00Z\n", "line 1"), ("2026-11-20 09:00:00\n", "line 1"), ("0\n99999999\n", "more than a year"),
    ("2026-11-20T09:00:00.Z", "line 1"), ("\u{1b}[2J\n", "line 1: ' [2J'"), ("{\"event\":\"x\"}\n", "has no arrival"),
    ("{not json\n", "has no arrival"),
  ])
  func aFileWithoutArrivalsIsRefusedWithItsLine(_ text: String, _ reason: String) throws {
    let path = try scratch.write("arrivals.txt", text)
    let problems = try read(["--arrivals", path]).problems
    #expect(
      problems.count == 1 && problems[0].hasPrefix("--arrivals: '\(path)'") && problems[0].contains(reason),
      "\(problems)")
  }

  @Test func bytesThatAreNoTextAreRefused() throws {
    #expect(throws: PlanFile.Fault.self) { try PlanFile([0xff, 0xfe, 0, 0, 0x0a, 0x31]).arrivals() }
    #expect(throws: PlanFile.Fault.self) { try PlanFile([UInt8](repeating: 0x39, count: 100_000)).arrivals() }
  }

  private static let log = """
    {"event":"task_lifecycle","phase":"session_create","timestamp":"2026-11-20T09:00:05.000Z","duration_ms":5000,"sessionId":"b"}
    plain text of another program
    {"event":"task_lifecycle","phase":"session_create","timestamp":"2026-11-20T09:00:04.000Z","duration_ms":250.5,"sessionId":"a"}
    {"event":"task_lifecycle","phase":"task_ready","timestamp":"never"}
    {"event":"task_lifecycle","phase":"ws_disconnect","timestamp":"2026-11-20T09:10:00.000Z","sessionId":"a"}
    {"event":"task_lifecycle","phase":"ws_disconnect","timestamp":"2026-11-20T09:30:04.000Z","sessionId":"a"}
    {"event":"task_lifecycle","phase":"ws_disconnect","timestamp":"2026-11-20T09:31:00.000Z","sessionId":"unknown"}
    """

  /// An event is written when it has ended; a session ends when its socket breaks for the last time.
  @Test func aLifecycleLogHasArrivalsAndSessions() throws {
    #expect(try Self.arrivals(Self.log) == [0, 3.7495])
    #expect(try PlanFile(Array(Self.log.utf8)).sessions().mean == 1800)
    #expect(throws: PlanFile.Fault.self) {
      try PlanFile(Array("{\"event\":\"task_lifecycle\",\"phase\":\"session_create\"}".utf8)).arrivals()
    }
  }

  @Test func sessionsOfAFileAreDrawnFromIt() throws {
    let path = try scratch.write("sessions.txt", "10m\n20m\n90m\n")
    let settings = try #require(try read(["--arrival-rate", "5/m", "--session", path]).settings)
    #expect(settings.model.times.session.mean == 2400)
    for text in ["", "10\n", "10m\n-5m\n", "nan\n"] {
      #expect(try read(["--arrival-rate", "5/m", "--session", try scratch.write("s", text)]).problems.count == 1)
    }
  }

  /// By default all of the file is measured, and nothing before it.
  @Test func aFileOfArrivalsIsMeasuredWhole() throws {
    let path = try scratch.write("arrivals.txt", "100\n160\n400.5\n")
    let settings = try #require(try read(["--arrivals", path, "--runs", "2"]).settings)
    #expect(settings.model.schedule.horizon == .milliseconds(301_500) && settings.model.schedule.warmup == .zero)
    let result = Plan(settings.model, candidates: [Candidate(poolSize: 1)]).results[0]
    #expect(result.arrivals == 6 && result.hits == 6)
  }

  // MARK: Prices

  private static let prices =
    "\"runningInstancePerHour\": 0.1, \"stoppedInstancePerHour\": 0, \"storagePerInstanceMonth\": 0.9, \"warmTaskPerHour\": 0.05"

  @Test func pricesAreReadWhole() throws {
    let path = try scratch.write("prices.json", "{\"currency\": \"€\", \(Self.prices)}")
    let settings = try #require(try read(["--arrival-rate", "5/m", "--slots", "7", "--prices", path]).settings)
    #expect(
      settings.prices
        == Prices(
          currency: "€", runningInstancePerHour: 0.1, stoppedInstancePerHour: 0, storagePerInstanceMonth: 0.9,
          warmTaskPerHour: 0.05))
  }

  /// Tasks that are paid by themselves need no instances.
  @Test func pricesOfTasksAloneNeedNoSlots() throws {
    let path = try scratch.write(
      "prices.json", "{\(Self.prices.replacing("0.1", with: "0").replacing("0.9", with: "0"))}")
    #expect(try read(["--arrival-rate", "5/m", "--prices", path]).problems == [])
  }

  @Test(arguments: [
    ("", "a value is expected"), ("[]", "is no JSON object"),
    ("{}", "lacks runningInstancePerHour, stoppedInstancePerHour"),
    ("{\(prices), \"warmTaskPerHour\": 1}", "'warmTaskPerHour' is there more than once"),
    ("{\(prices), \"warmTasksPerHour\": 1}", "did you mean 'warmTaskPerHour'?"),
    ("{\(prices.replacing("0.9", with: "-1"))}", "storagePerInstanceMonth is a number from 0"),
    ("{\(prices.replacing("0.9", with: "1e999"))}", "storagePerInstanceMonth is a number from 0"),
    ("{\(prices.replacing("0.9", with: "NaN"))}", "a value is expected"),
    ("{\(prices.replacing("0.9", with: "\"0.9\""))}", "storagePerInstanceMonth is a number from 0"),
    ("{\(prices), \"currency\": \"\"}", "currency is a text"),
    ("{\(prices), \"currency\": \"\\u001b[2J\"}", "currency is a text"),
    ("{\(prices)", "a comma or } is expected"), (String(repeating: "[", count: 100_000), "nested too deeply"),
  ])
  func wrongPricesAreRefused(_ text: String, _ reason: String) throws {
    let path = try scratch.write("prices.json", text)
    let problems = try read(["--arrival-rate", "5/m", "--slots", "7", "--prices", path]).problems
    #expect(problems.contains { $0.hasPrefix("--prices: ") && $0.contains(reason) }, "\(problems)")
  }

  // MARK: Measured

  private func result(
    _ tool: String, _ metrics: [String: [Int]], name: String, target: String = "embedded"
  ) throws -> String {
    var document = SampleDocuments.typical
    document.target = .init(kind: target)
    document.tool = ToolDescriptions.suite.all.first { $0.name == tool } ?? document.tool
    document.metrics = [:]
    for (metric, milliseconds) in metrics {
      var histogram = LatencyHistogram()
      for value in milliseconds { histogram.record(Nanoseconds.milliseconds(value)) }
      document.metrics[metric] = MetricDocument(histogram)
    }
    return try scratch.write(name, try ResultCoding.encode(document))
  }

  @Test func timesAreThoseOfTheResults() throws {
    let refill = try result("bench-exhaustion", ["refill_task": [9000, 10_000, 11_000]], name: "a.json")
    let again = try result("bench-exhaustion", ["refill_task": [12_000]], name: "b.json")
    let warm = try result("bench-concurrent", ["warm": [40, 50]], name: "c.json")
    let settings = try #require(
      try read(["--arrival-rate", "5/m", "--measured", refill, again, "--measured", warm]).settings)
    #expect(abs(settings.model.times.taskStart.mean / 10.5 - 1) < 0.001)
    #expect(abs(settings.model.times.assign.mean / 0.045 - 1) < 0.001)
    let input = settings.inputs.first { $0.name == "task-start" }
    #expect(input?.source == "4 × refill_task of \(refill) and \(again)")
    #expect(settings.notes.contains { $0 == "refill_task has 4 samples: the plan rests on few" })
  }

  /// The embedded gateway's users wait for the next task. A plan of another rule is a plan of another gateway.
  @Test func theRuleOfAnEmbeddedGatewayIsNotedInEveryReportWhereNoneIsGiven() throws {
    let embedded = try result("bench-exhaustion", ["refill_task": [9000]], name: "a.json")
    let other = try result("bench-exhaustion", ["refill_task": [9000]], name: "b.json", target: "remote")
    func notes(_ arguments: [String]) throws -> [String] {
      let settings = try #require(
        try read(["--arrival-rate", "5/m", "--runs", "2", "--horizon", "1h", "--pool-size", "3"] + arguments).settings)
      let summary = PlanSummary(
        Plan(settings.model, candidates: settings.candidates), inputs: settings.inputs, notes: settings.notes)
      let report = PlanReport(summary, explains: false)
      let texts = [
        report.text, report.markdown, try ResultCoding.encode(PlanDocument(summary)), PlanHTML(summary).source,
      ]
      #expect(Set(texts.map { $0.contains("of an embedded gateway") }).count == 1, "\(arguments)")
      return summary.notes.filter { $0.contains("of an embedded gateway") }
    }
    let noted = try notes(["--measured", embedded, other])
    #expect(noted.count == 1 && noted[0].contains("'\(embedded)' is of an embedded gateway"), "\(noted)")
    #expect(noted.first?.contains("(--fallback queue), and the plan's rule is own-start") == true)
    #expect(try notes(["--measured", other]) == [])
    #expect(try notes(["--task-start", "9s"]) == [])
    for rule in ["queue", "own-start"] { #expect(try notes(["--measured", embedded, "--fallback", rule]) == []) }
  }

  @Test func whatIsWrittenWinsOverWhatWasMeasured() throws {
    let refill = try result("bench-exhaustion", ["refill_task": [9000]], name: "a.json")
    let settings = try #require(
      try read(["--arrival-rate", "5/m", "--measured", refill, "--task-start", "3s"]).settings)
    #expect(settings.model.times.taskStart == .constant(.seconds(3)))
  }

  @Test func aStartWithoutARefillIsTheSumOfItsPhases() throws {
    let phases = ["run_task": [500], "pending_to_running": [4000], "wait_connection": [1500]]
    let path = try result("bench-e2e", phases, name: "a.json")
    let settings = try #require(try read(["--arrival-rate", "5/m", "--measured", path]).settings)
    #expect(abs(settings.model.times.taskStart.mean / 6 - 1) < 0.001)
    #expect(settings.notes.contains { $0.contains("independent of one another") })
  }

  @Test func aResultWithoutATimeOfAPlanIsRefused() throws {
    let path = try result("bench-api", ["list_tasks": [3]], name: "a.json")
    let problems = try read(["--arrival-rate", "5/m", "--measured", path]).problems
    #expect(problems.count == 1 && problems[0].contains("has no time of a plan"))
    for text in ["", "{}", "[1]", "{\"schema\": \"infrabench.result/2\"}", "not json"] {
      let problems = try read(["--arrival-rate", "5/m", "--measured", try scratch.write("x.json", text)]).problems
      #expect(problems.count == 1 && problems[0].hasPrefix("--measured: "), "\(problems)")
    }
  }
}
