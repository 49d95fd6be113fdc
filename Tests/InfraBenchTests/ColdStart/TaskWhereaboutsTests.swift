import GatewayProtocol
import Testing

@testable import InfraBench

/// Which of a run's tasks may be stopped, by what the gateway's status says.
@Suite struct TaskWhereaboutsTests {
  private static let own = "own-0001"

  private static func named(_ state: String, _ user: String? = nil) -> TaskWhereabouts {
    .known(
      StatusAnswer(warmCount: 0, assignedCount: 1, tasks: [TaskEntry(taskId: "t", state: state, userId: user)]))
  }

  private static let cases: [(whereabouts: TaskWhereabouts, hasServed: Bool, isStopped: Bool)] = [
    (.unknown, false, false), (.unknown, true, true),
    (.known(StatusAnswer(warmCount: 0, assignedCount: 0, tasks: [])), false, true),
    (.known(StatusAnswer(warmCount: 3, assignedCount: 0)), false, true),
    (.known(StatusAnswer(warmCount: 3, assignedCount: 1)), false, false),
    (.known(StatusAnswer(warmCount: 3, assignedCount: 1)), true, true),
    (named("warm"), false, true), (named("ready"), false, true), (named("warming"), false, true),
    (named("assigned"), false, false), (named("assigned"), true, true), (named("busy"), false, false),
    (named("assigned", own), false, false), (named("assigned", own), true, true),
    (named("assigned", "alice"), false, false), (named("assigned", "alice"), true, false),
    (named("assigned", ""), true, false), (named("warm", own), false, false), (named("warm", "alice"), false, false),
  ]

  @Test(arguments: cases.indices) func onlyWhatIsSurelyThisRunsOrIdleIsStopped(index: Int) {
    let (whereabouts, hasServed, isStopped) = Self.cases[index]
    let verdict = whereabouts.verdict("t", hasServed: hasServed) { $0 == Self.own }
    #expect((verdict == .stop) == isStopped, "\(whereabouts), \(hasServed): \(verdict)")
  }

  @Test func whatIsStartingOrNotListedIsAbsent() {
    #expect(Self.named("warming").isAbsent("t") && Self.named("assigned").isAbsent("other"))
    for state in ["warm", "ready", "assigned"] { #expect(!Self.named(state).isAbsent("t")) }
    #expect(!TaskWhereabouts.unknown.isAbsent("t"))
    #expect(!TaskWhereabouts.known(StatusAnswer(warmCount: 0, assignedCount: 0)).isAbsent("t"))
  }
}
