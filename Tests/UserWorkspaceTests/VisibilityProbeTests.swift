import Glibc
import Latency
import Testing

@testable import UserWorkspace

@Suite struct VisibilityProbeTests {
  let scratch: Scratch
  let tree: CreatedDirectories
  let second: Nanoseconds = .seconds(1)

  init() throws {
    scratch = try Scratch()
    scratch.directory("root")
    scratch.directory("other")
    // The root's own path may go through a link: a second way to one tree.
    scratch.link("peer", to: scratch("root"))
    tree = try CreatedDirectories(root: scratch("root"))
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

  @Test func aTokenThatAppearsBitByBitIsWaitedFor() throws {
    let probe = try VisibilityProbe(tree: tree, peerRoot: scratch("peer"), token: [1, 2, 3], timeout: 60 * second)
    let user = try UserDirectoryName("user-1")
    let start = MonotonicClock.now()
    let seen = try probe.waitForToken(of: user, since: start) { lookUps in
      switch lookUps {
      case 1: scratch.directory("root/user-1")
      case 2: scratch.directory("root/user-1/.optima")
      case 3: scratch.file("root/user-1/.optima/token.json", "\u{1}\u{2}")
      default: scratch.file("root/user-1/.optima/token.json", "\u{1}\u{2}\u{3}")
      }
    }
    #expect(seen.lookUps == 5)
    #expect(!seen.firstLookUpSucceeded)
    #expect(seen.delay.start == start)
  }

  @Test func aTokenThatNeverAppearsOrIsAlwaysWrongTimesOut() throws {
    let probe = try VisibilityProbe(tree: tree, peerRoot: scratch("peer"), token: [1, 2, 3], timeout: second / 100)
    let user = try UserDirectoryName("user-1")
    #expect(code { try probe.waitForToken(of: user, since: MonotonicClock.now()) } == .timeout)
    _ = try probe.measure(user)
    scratch.file("root/user-1/.optima/token.json", "\u{1}\u{2}\u{3}\u{4}")
    #expect(code { try probe.waitForToken(of: user, since: MonotonicClock.now()) } == .timeout)
  }

  @Test func aLinkAtThePeerIsAnErrorAtOnce() throws {
    let probe = try VisibilityProbe(tree: tree, peerRoot: scratch("peer"), token: [1], timeout: 10 * second)
    let user = try UserDirectoryName("user-1")
    scratch.link("root/user-1", to: scratch("other"))
    #expect(code { try probe.waitForToken(of: user, since: MonotonicClock.now()) } == .notADirectory)
  }

  @Test func anotherTreeIsAnErrorAndTheMarkerIsRemoved() {
    #expect(
      code { try VisibilityProbe(tree: tree, peerRoot: scratch("other"), token: [1], timeout: 0) } == .differentTree)
    #expect(code { try VisibilityProbe(tree: tree, peerRoot: scratch("none"), token: [1], timeout: 0) } == .notFound)
    #expect(names(in: scratch("root")) == [])
    #expect(names(in: scratch("other")) == [])
  }
}
