import GatewayProtocol
import Testing

@testable import InfraBench

/// Telling this run's users from somebody else's.
@Suite struct UsedUserIDsTests {
  private static let status = StatusAnswer(
    warmCount: 1, assignedCount: 4,
    tasks: [
      TaskEntry(taskId: "warm", state: "warm"), TaskEntry(taskId: "own", state: "assigned", userId: "test-user-0001"),
      TaskEntry(taskId: "colleague", state: "assigned", userId: "test-user-0003"),
      TaskEntry(taskId: "prefix", state: "ready", userId: "test-user"),
      TaskEntry(taskId: "alice", state: "assigned", userId: "alice"),
    ])

  @Test func aUserWithTheSamePrefixIsSomebodyElse() {
    let used = UsedUserIDs()
    for id in ["test-user-0001", "test-user-0002"] { used.insert(id) }
    #expect(used.tasksOfOthers(in: Self.status) == ["colleague", "prefix", "alice"])
  }

  @Test func withoutNamedTasksNobodyElseIsSeen() {
    #expect(UsedUserIDs().tasksOfOthers(in: StatusAnswer(warmCount: 0, assignedCount: 2)).isEmpty)
  }
}
