import Testing

@testable import InfraBench
@testable import Results

/// Telling this run's users from somebody else's.
@Suite struct UsedUserIDsTests {
  @Test func aUserWithTheSamePrefixIsSomebodyElse() {
    let used = UsedUserIDs()
    for id in ["test-user-0001", "test-user-0002"] { used.insert(id) }
    #expect(used.contains("test-user-0001") && used.contains("test-user-0002"))
    for id in ["test-user-0003", "test-user", "alice", ""] { #expect(!used.contains(id), "\(id)") }
  }
}
