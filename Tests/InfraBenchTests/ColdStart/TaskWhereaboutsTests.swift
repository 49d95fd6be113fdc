import Gateway
import Testing

@testable import InfraBench
@testable import Results

/// Which of a run's tasks may be stopped, by what the gateway's status says.
@Suite struct TaskWhereaboutsTests {
  private static let own = "own-0001"

  private static func named(_ state: String, _ user: String? = nil) -> GatewayTaskView {
    .known(
      StatusAnswer(warmCount: 0, assignedCount: 1, tasks: [TaskEntry(taskId: "t", state: state, userId: user)]))
  }

  private static let cases: [(whereabouts: GatewayTaskView, hasServed: Bool, isStopped: Bool)] = [
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
    let verdict = whereabouts.verdict("t", hasServed: hasServed, wasSeen: false) { $0 == Self.own }
    #expect((verdict == .stop) == isStopped, "\(whereabouts), \(hasServed): \(verdict)")
  }

  /// Another node of the gateway may have it, and with it somebody's user.
  @Test func whatWasAtTheGatewayAndIsNotListedIsStoppedOnlyWhereThisRunWasGivenIt() {
    let empty = GatewayTaskView.known(StatusAnswer(warmCount: 0, assignedCount: 0, tasks: []))
    for whereabouts in [empty, Self.named("warm")] {
      for (hasServed, wasSeen) in [(false, false), (true, false), (true, true)] {
        let verdict = whereabouts.verdict("other", hasServed: hasServed, wasSeen: wasSeen) { _ in true }
        #expect(verdict == .stop, "\(whereabouts), \(hasServed), \(wasSeen)")
      }
      let verdict = whereabouts.verdict("other", hasServed: false, wasSeen: true) { _ in true }
      #expect(verdict == .leave("the gateway had it and lists it no more, and this run was not given it"))
    }
    // One that is listed is judged by its entry.
    let listed = Self.named("warm").verdict("t", hasServed: false, wasSeen: true) { _ in false }
    #expect(listed == .stop)
  }

  @Test func whatIsStartingOrNotListedIsAbsentUnlessItWasThere() {
    #expect(Self.named("warming").isAbsent("t", wasSeen: false))
    #expect(Self.named("assigned").isAbsent("other", wasSeen: false))
    #expect(!Self.named("assigned").isAbsent("other", wasSeen: true))
    for state in ["warm", "ready", "assigned"] { #expect(!Self.named(state).isAbsent("t", wasSeen: false)) }
    #expect(!GatewayTaskView.unknown.isAbsent("t", wasSeen: false))
    #expect(!GatewayTaskView.known(StatusAnswer(warmCount: 0, assignedCount: 0)).isAbsent("t", wasSeen: false))
  }

  @Test func whatIsNotStartingAnyMoreIsConnected() {
    for state in ["warm", "ready", "assigned"] { #expect(Self.named(state).connected == ["t"]) }
    #expect(Self.named("warming").connected.isEmpty && GatewayTaskView.unknown.connected.isEmpty)
    #expect(GatewayTaskView.known(StatusAnswer(warmCount: 1, assignedCount: 0)).connected.isEmpty)
  }
}
