import Foundation
import Glibc
import TestSupport
import Testing
import WarmTask

@testable import EmbeddedGateway

/// Which uid a user gets: the same one always, and no other user's.
struct UserIDTests {
  private func ids(_ text: String = "1100-1102") throws -> UserIDs { UserIDs(try #require(UserIDRange(text))) }

  @Test func eachUserHasAUidAndKeepsIt() throws {
    var ids = try ids()
    let users = ["a", "b", "c"]
    let first = users.map { ids.id(of: $0, owner: nil, owned: { [] }) }
    #expect(first == [1100, 1101, 1102])
    #expect(users.map { ids.id(of: $0, owner: nil, owned: { [] }) } == first)
    #expect(ids.id(of: "d", owner: nil, owned: { [] }) == nil, "all are taken")
  }

  @Test func aDirectoryFromBeforeKeepsItsOwner() throws {
    var ids = try ids()
    #expect(ids.id(of: "old", owner: 1101, owned: { [1101] }) == 1101)
    #expect(ids.id(of: "new", owner: nil, owned: { [1101] }) == 1100)
    #expect(ids.id(of: "next", owner: nil, owned: { [1101] }) == 1102)
  }

  /// Nobody gets the uid of somebody whose directory is there, though that user has not come yet.
  @Test func aUidThatOwnsADirectoryIsNobodyElses() throws {
    var ids = try ids()
    #expect(ids.id(of: "new", owner: nil, owned: { [1100, 1101] }) == 1102)
    #expect(ids.id(of: "another", owner: nil, owned: { [1100, 1101] }) == nil)
    #expect(ids.id(of: "old", owner: 1100, owned: { [1100, 1101] }) == 1100)
  }

  @Test func twoDirectoriesOfOneOwnerAreOneUsers() throws {
    var ids = try ids()
    #expect(ids.id(of: "a", owner: 1100, owned: { [1100] }) == 1100)
    #expect(ids.id(of: "b", owner: 1100, owned: { [1100] }) == nil)
  }

  /// The task refuses a directory of root's, or of somebody out of the range. Its user still gets a uid of the range.
  @Test func anOwnerOutOfTheRangeIsNoUid() throws {
    var ids = try ids()
    #expect(ids.id(of: "a", owner: 0, owned: { [0] }) == 1100)
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
        guard let id = ids.id(of: user, owner: owner, owned: { owners }) else { continue }
        #expect(given[user] == nil || given[user] == id)
        given[user] = id
      }
      #expect(Set(given.values).count == given.count)
      #expect(given.values.allSatisfy { (1000...1019).contains($0) })
    }
  }

  @Test func aRangeWithAnAccountOfTheSystemIsNoUsers() throws {
    let nobody = try #require(getpwnam("nobody")).pointee.pw_uid
    let range = try #require(UserIDRange("\(nobody - 1)-\(nobody + 1)"))
    #expect(range.account == "the user nobody" && range.refusal != nil)
    #expect(UserIDRange("3000000000-3000000009")?.account == nil)
  }

  @Test func directoriesOfAllEnvironmentsHaveTheirOwners() throws {
    let folder = try ScratchDirectory()
    for path in ["dev/a", "prod/b"] {
      try FileManager.default.createDirectory(atPath: "\(folder.path)/\(path)", withIntermediateDirectories: true)
    }
    #expect(UserIDs.owners(below: folder.path) == [geteuid()])
    if geteuid() == 0 {
      chown("\(folder.path)/prod/b", 41_000, 41_000)
      #expect(UserIDs.owners(below: folder.path) == [0, 41_000])
    }
    #expect(UserIDs.owners(below: "/nonexistent") == [])
  }

  @Test(arguments: ["1000-1000", "10000-19999", "1000-4294967293"]) func aRangeIsReadAndWritten(_ text: String) throws {
    #expect(UserIDRange(text)?.text == text)
  }

  @Test(
    arguments: [
      "", "-", "5", "0-5", "5-4", "1-4294967294", "1-4294967295", "-1-5", "1--5", "+1-5", "1-5-9", " 1-5", "1-5 ",
      "a-b",
      "1000-99999999999999999999", "٣-٤",
    ])
  func whatIsNoRangeIsRefused(_ text: String) {
    #expect(UserIDRange(text) == nil)
  }
}
