import Glibc
import Testing

@testable import UserWorkspace

@Suite struct WorkspacePreparationTests {
  let scratch: Scratch

  init() throws { scratch = try Scratch() }

  private func prepare(_ directory: String, token: String = "secret") throws -> Bool {
    try WorkspacePreparation.prepare(directory: scratch(directory), inside: scratch.path, token: Array(token.utf8))
  }

  private func code(_ directory: String) -> WorkspaceError.Kind? {
    do {
      _ = try prepare(directory)
      return nil
    } catch {
      return (error as? WorkspaceError)?.kind
    }
  }

  @Test func aNewUsersDirectoryIsPrivateAndHoldsTheToken() throws {
    #expect(try prepare("test/user-1"))
    #expect(mode(scratch("test")) == 0o755)
    #expect(mode(scratch("test/user-1")) == 0o700)
    #expect(names(in: scratch("test/user-1")) == [".claude", ".optima"])
    #expect(mode(scratch("test/user-1/.optima")) == 0o700)
    #expect(mode(scratch("test/user-1/.claude")) == 0o700)
    #expect(names(in: scratch("test/user-1/.optima")) == ["token.json"])
    #expect(mode(scratch("test/user-1/.optima/token.json")) == 0o600)
    #expect(try readWholeFile(scratch("test/user-1/.optima/token.json")) == "secret")
  }

  @Test(.enabled(if: geteuid() == 0, "only root gives files away"))
  func anotherUsersDirectoryAndAllInItBelongToThatUser() throws {
    func prepare(as owner: UInt32) throws -> Bool {
      try WorkspacePreparation.prepare(
        directory: scratch("dev/user-1"), inside: scratch.path, token: Array("secret".utf8), owner: owner)
    }
    func owner(_ path: String) -> UInt32? {
      var status = stat()
      return lstat(scratch(path), &status) == 0 && status.st_uid == status.st_gid ? status.st_uid : nil
    }
    #expect(try prepare(as: 12_345))
    #expect(owner("dev") == 0)
    for path in ["", "/.optima", "/.claude", "/.optima/token.json"] { #expect(owner("dev/user-1" + path) == 12_345) }
    #expect(try !prepare(as: 12_345))
    // One that was made and not given away yet is empty, and is given away; one with files stays root's.
    mkdir(scratch("dev/user-2"), 0o700)
    func prepareSecond() throws -> Bool {
      try WorkspacePreparation.prepare(
        directory: scratch("dev/user-2"), inside: scratch.path, token: Array("secret".utf8), owner: 12_347)
    }
    #expect(try !prepareSecond())
    #expect(owner("dev/user-2") == 12_347 && owner("dev/user-2/.optima") == 12_347)
    chown(scratch("dev/user-2"), 0, 0)
    #expect(throws: WorkspaceError.self) { try prepareSecond() }
    // Somebody else's directory is not entered, and its token stays.
    #expect(throws: WorkspaceError.self) { try prepare(as: 12_346) }
    #expect(owner("dev/user-1/.optima/token.json") == 12_345)
  }

  @Test func anExistingDirectoryIsEnteredAndOnlyItsTokenReplaced() throws {
    #expect(try prepare("user-1", token: "a much longer token than the next"))
    scratch.file("user-1/notes", "mine")
    chmod(scratch("user-1"), 0o750)
    #expect(try !prepare("user-1", token: "next"))
    #expect(mode(scratch("user-1")) == 0o750)
    #expect(try readWholeFile(scratch("user-1/notes")) == "mine")
    #expect(try readWholeFile(scratch("user-1/.optima/token.json")) == "next")
    #expect(names(in: scratch("user-1/.optima")) == ["token.json"])
  }

  @Test(arguments: [
    "", "/", "../outside", "a/../../outside", "a/..", "..", "a/./b", ".", "../../etc/passwd", "a/../b", "a\0b",
  ])
  func aPathThatIsNotPlainlyBelowTheRootTouchesNothing(_ relative: String) throws {
    #expect(code(relative) == .outsideRoot)
    #expect(names(in: scratch.path) == [])
  }

  @Test func anotherDirectoryThatOnlyStartsLikeTheRootIsOutside() {
    #expect(throws: WorkspaceError.self) {
      try WorkspacePreparation.prepare(directory: scratch.path + "-other/user", inside: scratch.path, token: [])
    }
    #expect(status(scratch.path + "-other") == nil)
  }

  @Test func aRootThatIsMissingIsNotMade() {
    #expect {
      try WorkspacePreparation.prepare(directory: scratch("root/user"), inside: scratch("root"), token: [])
    } throws: { ($0 as? WorkspaceError)?.kind == .notFound }
    #expect(names(in: scratch.path) == [])
  }

  @Test(arguments: ["environment", "environment/user", "environment/user/.optima", "environment/user/.claude"])
  func aSymbolicLinkInTheWayIsAnErrorAndNotFollowed(_ planted: String) throws {
    let elsewhere = try Scratch()
    for parent in ["environment", "environment/user"] where planted.hasPrefix(parent + "/") {
      scratch.directory(parent)
    }
    scratch.link(planted, to: elsewhere.path)
    #expect(code("environment/user") == .notADirectory)
    #expect(names(in: elsewhere.path) == [])
  }

  @Test func aSymbolicLinkAtTheTokenIsReplacedAndItsTargetLeftAlone() throws {
    let elsewhere = try Scratch()
    let victim = elsewhere.file("victim", "untouched")
    scratch.directory("user")
    scratch.directory("user/.optima")
    scratch.link("user/.optima/token.json", to: victim)
    #expect(try !prepare("user"))
    #expect(try readWholeFile(victim) == "untouched")
    #expect(mode(scratch("user/.optima/token.json")) == 0o600)
    #expect(try readWholeFile(scratch("user/.optima/token.json")) == "secret")
  }

  @Test func aDirectoryAtTheTokenIsAnErrorThatLeavesNoTemporaryFile() throws {
    scratch.directory("user")
    scratch.directory("user/.optima")
    scratch.directory("user/.optima/token.json")
    #expect(throws: WorkspaceError.self) { try prepare("user") }
    #expect(names(in: scratch("user/.optima")) == ["token.json"])
  }

  @Test func aTokenBeyondTheBoundIsRefusedBeforeAnythingIsMade() {
    let token = String(repeating: "x", count: WorkspaceLayout.maximumTokenLength + 1)
    #expect { try prepare("user", token: token) } throws: { ($0 as? WorkspaceError)?.kind == .tokenTooLong }
    #expect(names(in: scratch.path) == [])
  }

  @Test func aHostileUmaskDoesNotChangeTheModes() async {
    // In a process of its own: the umask belongs to the whole process.
    await #expect(processExitsWith: .success) {
      umask(0o777)
      let scratch = try Scratch()
      _ = try WorkspacePreparation.prepare(directory: scratch("env/user"), inside: scratch.path, token: [1])
      #expect(mode(scratch("env")) == 0o755)
      #expect(mode(scratch("env/user")) == 0o700)
      #expect(mode(scratch("env/user/.optima")) == 0o700)
      #expect(mode(scratch("env/user/.optima/token.json")) == 0o600)
    }
  }

  @Test func aUmaskThatTakesOnlyFromOthersNeedsNoCorrection() {
    #expect(!Umask(bits: 0o077).spoils(0o700))
    #expect(!Umask(bits: 0o022).spoils(0o600))
    #expect(Umask(bits: 0o027).spoils(0o755))
    #expect(Umask(bits: 0o177).spoils(0o700))
  }
}
