import Testing

@testable import UserWorkspace

@Suite struct VisibilityProbeTests {
  let scratch: Scratch
  let tree: CreatedTree
  let second: UInt64 = 1_000_000_000

  init() throws {
    scratch = try Scratch()
    scratch.directory("root")
    scratch.directory("other")
    // The root's own path may go through a link: a second way to one tree.
    scratch.link("peer", to: scratch("root"))
    tree = try CreatedTree(root: scratch("root"))
  }

  @Test func whatIsWrittenIsSeenThroughTheSecondPathAtTheFirstLookUp() throws {
    let probe = try VisibilityProbe(tree: tree, peerRoot: scratch("peer"), token: [1, 2, 3], timeout: 10 * second)
    let sharesCache = probe.sharesCache
    #expect(sharesCache)
    let seen = try probe.measure(UserDirectoryName("user-1"))
    #expect(seen.firstLookUpSucceeded)
    #expect(seen.delay.end > seen.delay.start)
    #expect(names(in: scratch("root")) == ["user-1"])
    #expect(tree.removeAll() == .init(removed: 1, leftovers: []))
  }

  @Test func anotherTreeIsAnErrorAndTheMarkerIsRemoved() {
    #expect(code { try VisibilityProbe(tree: tree, peerRoot: scratch("other"), token: [1], timeout: 0) } == .differentTree)
    #expect(code { try VisibilityProbe(tree: tree, peerRoot: scratch("none"), token: [1], timeout: 0) } == .notFound)
    #expect(names(in: scratch("root")) == [])
    #expect(names(in: scratch("other")) == [])
  }
}
