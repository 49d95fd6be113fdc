import TestSupport
import Testing
import WarmTask

@testable import EmbeddedGateway

/// Which uid a user gets: the same one always, and no other user's.
struct UserIDTests {
  private func ids(_ text: String = "100-102") throws -> UserIDs { UserIDs(try #require(UserIDRange(text))) }

  @Test func eachUserHasAUidAndKeepsIt() throws {
    var ids = try ids()
    let users = ["a", "b", "c"]
    let first = users.map { ids.id(of: $0, owner: nil, isOwned: { _ in false }) }
    #expect(first == [100, 101, 102])
    #expect(users.map { ids.id(of: $0, owner: nil, isOwned: { _ in false }) } == first)
    #expect(ids.id(of: "d", owner: nil, isOwned: { _ in false }) == nil, "all are taken")
  }

  @Test func aDirectoryFromBeforeKeepsItsOwner() throws {
    var ids = try ids()
    #expect(ids.id(of: "old", owner: 101, isOwned: Set<UInt32>([101]).contains) == 101)
    #expect(ids.id(of: "new", owner: nil, isOwned: Set<UInt32>([101]).contains) == 100)
    #expect(ids.id(of: "next", owner: nil, isOwned: Set<UInt32>([101]).contains) == 102)
  }

  /// Nobody gets the uid of somebody whose directory is there, though that user has not come yet.
  @Test func aUidThatOwnsADirectoryIsNobodyElses() throws {
    var ids = try ids()
    #expect(ids.id(of: "new", owner: nil, isOwned: Set<UInt32>([100, 101]).contains) == 102)
    #expect(ids.id(of: "another", owner: nil, isOwned: Set<UInt32>([100, 101]).contains) == nil)
    #expect(ids.id(of: "old", owner: 100, isOwned: Set<UInt32>([100, 101]).contains) == 100)
  }

  @Test func twoDirectoriesOfOneOwnerAreOneUsers() throws {
    var ids = try ids()
    #expect(ids.id(of: "a", owner: 100, isOwned: Set<UInt32>([100]).contains) == 100)
    #expect(ids.id(of: "b", owner: 100, isOwned: Set<UInt32>([100]).contains) == nil)
  }

  /// A directory of root's, or of somebody out of the range, is refused by the task: its user gets a uid all the same.
  @Test func anOwnerOutOfTheRangeIsNoUid() throws {
    var ids = try ids()
    #expect(ids.id(of: "a", owner: 0, isOwned: Set<UInt32>([0]).contains) == 100)
  }

  @Test func drawnUsersNeverShareAUid() throws {
    var random = SeededRandom(seed: 17)
    for _ in 0..<200 {
      var ids = try ids("1000-1019")
      let owners = Set(
        (0..<Int.random(in: 0..<10, using: &random)).map { _ in UInt32.random(in: 1000...1019, using: &random) })
      var given: [String: UInt32] = [:]
      for _ in 0..<60 {
        let user = "u\(Int.random(in: 0..<30, using: &random))"
        let owner = given[user] == nil && Bool.random(using: &random) ? owners.randomElement(using: &random) : nil
        guard let id = ids.id(of: user, owner: owner, isOwned: owners.contains) else { continue }
        #expect(given[user] == nil || given[user] == id)
        given[user] = id
      }
      #expect(Set(given.values).count == given.count)
      #expect(given.values.allSatisfy { (1000...1019).contains($0) })
    }
  }

  @Test(arguments: ["1-1", "10000-19999", "1-4294967293"]) func aRangeIsReadAndWritten(_ text: String) throws {
    #expect(UserIDRange(text)?.text == text)
  }

  @Test(
    arguments: [
      "", "-", "5", "0-5", "5-4", "1-4294967294", "1-4294967295", "-1-5", "1--5", "+1-5", "1-5-9", " 1-5", "1-5 ",
      "a-b",
      "1-99999999999999999999", "٣-٤",
    ])
  func whatIsNoRangeIsRefused(_ text: String) {
    #expect(UserIDRange(text) == nil)
  }
}
