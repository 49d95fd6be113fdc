import Glibc
import Testing

@testable import UserWorkspace

@Suite struct IsolationProbeTests {
  static let isRoot = geteuid() == 0
  let scratch: Scratch

  init() throws { scratch = try Scratch() }

  @Test(.enabled(if: isRoot, "needs root, to act as two user ids"))
  func privateDirectoriesAreClosedToAnotherUser() async throws {
    let report = try await IsolationProbe(root: scratch.path, owner: 10_001, intruder: 10_002).run()
    #expect(report == IsolationReport(result: .tested(violations: []), leftovers: []))
    #expect(names(in: scratch.path) == [])
  }

  @Test(
    .enabled(if: isRoot, "needs root, to act as two user ids"),
    arguments: [
      (0o777, [.enter, .list, .makeFile]), (0o755, [.enter, .list]), (0o711, [.enter]), (0o704, [.list]),
    ] as [(mode_t, [IsolationViolation.Attempt])])
  func anOpenDirectoryIsReportedForJustWhatItAllows(mode: mode_t, attempts: [IsolationViolation.Attempt]) async throws {
    let probe = IsolationProbe(root: scratch.path, owner: 10_001, intruder: 10_002, userMode: mode)
    let report = try await probe.run()
    guard case .tested(let violations) = report.result else {
      Issue.record("\(report)")
      return
    }
    #expect(violations.map(\.attempt) == attempts)
    #expect(violations.allSatisfy { $0.path.hasSuffix("/10001") })
    #expect(report.leftovers == [])
    #expect(names(in: scratch.path) == [])
  }

  @Test(.enabled(if: isRoot, "needs root, to act as two user ids"))
  func aRootThatTheUsersCannotReachIsNotTested() async throws {
    chmod(scratch.path, 0o700)
    let report = try await IsolationProbe(root: scratch.path, owner: 10_001, intruder: 10_002).run()
    guard case .notTested(let reason) = report.result else {
      Issue.record("\(report)")
      return
    }
    #expect(reason.contains("user id 10001"))
    #expect(names(in: scratch.path) == [])
  }

  @Test(.enabled(if: isRoot, "needs root, to act as two user ids"))
  func theProcessKeepsItsOwnUserAndGroups() async throws {
    let before = (geteuid(), getegid(), getgroups(0, nil))
    _ = try await IsolationProbe(root: scratch.path, owner: 10_001, intruder: 10_002).run()
    #expect(before == (geteuid(), getegid(), getgroups(0, nil)))
    let ids = try readWholeFile("/proc/self/status").split(separator: "\n").filter { $0.hasPrefix("Uid:") }
    #expect(ids == ["Uid:\t0\t0\t0\t0"])
  }

  @Test(arguments: [(10_001, 10_001), (0, 10_001), (10_001, 0)] as [(UInt32, UInt32)])
  func idsThatCanProveNothingAreNotTested(owner: UInt32, intruder: UInt32) async throws {
    let report = try await IsolationProbe(root: scratch.path, owner: owner, intruder: intruder).run()
    guard case .notTested = report.result else {
      Issue.record("\(report)")
      return
    }
    #expect(names(in: scratch.path) == [])
  }

  @Test(.enabled(if: isRoot, "needs root, to become someone else"))
  func anOrdinaryUserIsToldThatItIsNotTested() async {
    await #expect(processExitsWith: .success) {
      setuid(10_001)
      let report = try await IsolationProbe(root: "/tmp", owner: 10_001, intruder: 10_002).run()
      guard case .notTested(let reason) = report.result else {
        Issue.record("\(report)")
        return
      }
      #expect(reason.contains("root"))
    }
  }
}
