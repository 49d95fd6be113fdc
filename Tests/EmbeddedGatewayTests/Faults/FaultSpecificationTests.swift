import Latency
import Testing

@testable import EmbeddedGateway
@testable import Faults

/// How faults are written.
@Suite struct FaultSpecificationTests {
  private func problems(_ text: String) -> [String] {
    do throws(FaultSpecificationError) {
      _ = try InjectedFaults(parsing: text)
      return []
    } catch {
      return error.problems
    }
  }

  @Test func listIsReadWithItsSeedAndParameters() throws {
    let plan = try InjectedFaults(
      parsing:
        "seed=7; task-dies-warm:rate=30/m,after=1s,for=10s,every=1m;\n answer-5xx:on=acquire+release,p=0.25,status=502 ;"
    )
    #expect(plan.seed == 7 && plan.rules.map(\.kind) == [.taskDiesWarm, .answer5xx])
    let deaths = plan.rules[0]
    #expect(deaths.rate == 0.5 && deaths.after == .seconds(1) && deaths.length == .seconds(10))
    #expect(deaths.every == .seconds(60) && deaths.text == "task-dies-warm:rate=30/m,after=1s,for=10s,every=1m")
    #expect(plan.rules[1].places == [.acquire, .release] && plan.rules[1].probability == 0.25)
    #expect(plan.rules[1].status == 502 && !plan.rules[1].isWorkDone)
  }

  @Test func jsonSaysTheSameAsTheList() throws {
    let list = try InjectedFaults(
      parsing: "seed=9; task-death; answer-slow:delay=200ms,on=acquire+status,p=0.5; start-fails:count=3")
    let json = try InjectedFaults(
      parsing: """
         {"seed": 9, "faults": ["task-death", {"fault": "answer-slow", "delay": "200ms", "on": ["acquire", "status"],
         "p": 0.5}, {"fault": "start-fails", "count": 3}]}
        """)
    #expect(list == json)
  }

  @Test(arguments: FaultPreset.allCases) func everyPresetIsMadeOfFaults(preset: FaultPreset) throws {
    let plan = try InjectedFaults(parsing: preset.rawValue)
    let written = try InjectedFaults(parsing: preset.specification)
    #expect(!plan.rules.isEmpty && plan == written)
    let moved = try InjectedFaults(parsing: "\(preset.rawValue):after=2s,for=3s")
    #expect(moved.rules.count == plan.rules.count)
    #expect(moved.rules.allSatisfy { $0.after == .seconds(2) && $0.length == .seconds(3) && $0.every == nil })
  }

  @Test(arguments: FaultKind.allCases) func everyKindIsReadAloneAndWithAllItsParameters(kind: FaultKind) throws {
    let rule = try #require(try InjectedFaults(parsing: kind.rawValue).rules.first)
    #expect(rule.kind == kind)
    let values: [FaultKind.Parameter: String] = [
      .after: "1s", .length: "2s", .every: "3s", .rate: "2/s", .p: "0.5", .count: "3", .skip: "1", .streak: "2",
      .on: kind.places.first?.rawValue ?? "warm", .delay: "10ms", .hold: "1s", .status: "504", .size: "1KiB",
      .skew: "-10m", .work: "done",
    ]
    let taken = FaultKind.Parameter.allCases.filter { parameter in
      switch parameter {
      case .after, .length, .every: true
      case .rate: rule.trigger == .clock
      case .p, .skip: rule.trigger == .event
      case .count: rule.trigger != .window
      default: kind.ownParameters.contains(parameter)
      }
    }
    let text = taken.map { "\($0.rawValue)=\(values[$0] ?? "")" }.joined(separator: ",")
    #expect(problems("\(kind.rawValue):\(text)") == [])
    for other in FaultKind.Parameter.allCases where !taken.contains(other) {
      let found = problems("\(kind.rawValue):\(other.rawValue)=\(values[other] ?? "")")
      #expect(found.count == 1 && found[0].contains("is no parameter of it"), "\(other): \(found)")
    }
  }

  @Test func placesDecideWhetherASocketBreaksByTheClockOrAtAnAssignment() throws {
    #expect(problems("socket-breaks:on=assigned,p=0.5") == [])
    #expect(problems("socket-breaks:on=warm+in-use,rate=2/s") == [])
    #expect(problems("socket-breaks:on=assigned,rate=2/s").count == 1)
    #expect(problems("socket-breaks:on=warm,p=0.5").count == 1)
    #expect(problems("socket-breaks:on=warm+assigned").first?.contains("stands alone") == true)
  }

  @Test func allMistakesAreNamedAtOnce() {
    let found = problems(
      "seed=-1; seed=2; bogus; start-fals; task-dies-warm:rate=0/s,p=1; answer-5xx:status=200,on=foo,p=1.5; "
        + "answer-stall:every=1s,for=2s; answer-slow:delay=5; start-fails:count; task-death:rate=1/s")
    let expected = [
      "seed '-1'", "the seed is given twice", "start-fails: 'count' is no name=value", "'bogus' is neither",
      "did you mean start-fails?", "rate='0/s'", "'p' is no parameter", "status='200'", "on='foo'", "p='1.5'",
      "for= is longer than every=", "delay='5'", "a preset takes after, for and every, but not 'rate'",
    ]
    #expect(found.count == expected.count, "\(found)")
    for part in expected { #expect(found.contains { $0.contains(part) }, "\(part) is not in \(found)") }
  }

  @Test(arguments: [
    "", " ", ";", ";;;", ":", "=", ":::", "a:b=c", "task-death:", "task-death:x", "task-death:=", "seed=", "seed=1",
    "seed=+1", "seed=18446744073709551616", "start-fails:count=+1", "start-fails:count=1e3", "start-fails:count=-1",
    "start-fails:count=99999999999999999999", "start-fails:p=nan", "start-fails:p=inf", "start-fails:p=-0.1",
    "start-fails:p=0x1", "start-fails:p=1,p=1", "start-fails:P=1", "START-FAILS", "task-dies-warm:rate=1",
    "task-dies-warm:rate=1/d", "task-dies-warm:rate=1001/s", "task-dies-warm:rate=/s", "task-dies-warm:rate=1/s/s",
    "answer-stall:for=0s", "answer-stall:for=25h", "answer-stall:every=1ns", "answer-oversized:size=65MiB",
    "answer-oversized:size=-1", "answer-oversized:size=0", "answer-oversized:size=9223372036854775807MiB",
    "ecs-skewed-clock:skew=--1h", "answer-slow:on=", "answer-slow:on=+", "answer-slow:on=warm", "start-fails:every=1s",
    "{", "{}", "[]", "{\"faults\": 1}", "{\"faults\": []}", "{\"faults\": [{}]}", "{\"faults\": [[]]}",
    "{\"faults\": [\"task-death\"], \"more\": 1}", "{\"seed\": -1, \"faults\": [\"task-death\"]}",
    "{\"faults\": [{\"fault\": \"start-fails\", \"p\": null}]}",
    "{\"faults\": [{\"fault\": \"start-fails\", \"p\": {}}]}",
    "\u{0}", "\u{202e}task-death", "täsk-death", "../../etc/passwd", "task-dies-warm:rate=１/s",
  ])
  func hostileTextIsRefusedWithAReason(text: String) {
    let found = problems(text)
    #expect(!found.isEmpty && found.allSatisfy { !$0.isEmpty && $0.utf8.count < 400 }, "\(found)")
  }

  @Test func longTextsAndManyFaultsAreBounded() {
    #expect(problems(String(repeating: "start-fails;", count: 201)).first?.contains("at most 200") == true)
    #expect(problems(String(repeating: "x", count: 70_000)).first?.contains("at most 65536 bytes") == true)
    let shown = problems(String(repeating: "\u{7}x", count: 1000))
    #expect(shown.count == 1 && shown[0].utf8.count < 300 && !shown[0].unicodeScalars.contains { $0.value < 32 })
  }

  /// Texts of the grammar's own letters, in any order: each is read or refused, and none ends the program.
  @Test(arguments: 1...20) func anyTextIsReadOrRefused(seed: Int) {
    var random = SplitMix(state: UInt64(seed))
    let pieces =
      FaultKind.allCases.map(\.rawValue) + FaultPreset.allCases.map(\.rawValue)
      + FaultKind.Parameter.allCases.map(\.rawValue)
      + [":", ",", ";", "=", "+", "1s", "0.5", "1/s", "9", "-", " ", "\n", "acquire", "warm", "assigned", "done", "é"]
    for _ in 0..<500 {
      let text = (0..<(1 + random.below(12))).map { _ in pieces[random.below(pieces.count)] }.joined()
      let plan = try? InjectedFaults(parsing: text)
      #expect((plan != nil) == problems(text).isEmpty, "\(text)")
    }
  }
}
