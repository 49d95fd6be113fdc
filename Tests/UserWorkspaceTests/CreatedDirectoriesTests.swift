import Glibc
import Testing

@testable import UserWorkspace

@Suite struct CreatedDirectoriesTests {
  let scratch: Scratch
  let tree: CreatedDirectories

  init() throws {
    scratch = try Scratch()
    tree = try CreatedDirectories(root: scratch.path)
  }

  private func create(_ users: String...) throws {
    let writer = try DirectoryWriter(tree: tree, token: [1, 2, 3])
    for user in users { _ = try writer.create(UserDirectoryName(user)) }
  }

  @Test func removeTakesTheWholeDirectoryAndForgetsIt() throws {
    try create("a", "b")
    let writer = try DirectoryWriter(tree: tree, token: [])
    let step = try writer.remove(UserDirectoryName("a"))
    #expect(step.end > step.start)
    #expect(names(in: scratch.path) == ["b"])
    #expect(tree.count == 1)
  }

  @Test func removeAllLeavesWhatTheRunDidNotMake() throws {
    scratch.directory("someone")
    scratch.file("someone/notes", "mine")
    try create("a", "b")
    #expect(tree.removeAll() == .init(removed: 2, leftovers: []))
    #expect(names(in: scratch.path) == ["someone"])
    #expect(names(in: scratch("someone")) == ["notes"])
  }

  @Test func removeAllTwiceAndAfterAHandMadeRemovalIsHarmless() throws {
    try create("a", "b")
    unlink(scratch("a/.optima/token.json"))
    rmdir(scratch("a/.optima"))
    rmdir(scratch("a/.claude"))
    rmdir(scratch("a"))
    #expect(tree.removeAll() == .init(removed: 2, leftovers: []))
    #expect(tree.removeAll() == .init())
  }

  @Test(arguments: [
    ("a/notes", "a"), ("a/.optima/history", "a/.optima"), ("a/.claude/settings", "a/.claude"),
  ])
  func aForeignFileStaysAndIsReported(file: String, reported: String) throws {
    try create("a")
    scratch.file(file, "mine")
    let leftovers = tree.removeAll().leftovers
    #expect(leftovers.map(\.path) == [reported])
    #expect(leftovers.first?.cause.kind == .foreignFiles)
    let name = try #require(file.split(separator: "/").last)
    #expect(leftovers.first?.description.contains("'\(name)'") == true)
    #expect(try readWholeFile(scratch(file)) == "mine")
    #expect(status(scratch("a/.optima/token.json")) == nil)

    unlink(scratch(file))
    #expect(tree.removeAll() == .init(removed: 1, leftovers: []))
    #expect(names(in: scratch.path) == [])
  }

  @Test func aForeignFileMakesTheTimedRemovalFail() throws {
    try create("a")
    scratch.file("a/notes", "mine")
    let writer = try DirectoryWriter(tree: tree, token: [])
    #expect(code { try writer.remove(UserDirectoryName("a")) } == .foreignFiles)
    #expect(tree.count == 1)
  }

  @Test(arguments: ["a", "a/.optima"])
  func aLinkPutInPlaceOfADirectoryIsNotFollowedByTheRemoval(planted: String) throws {
    let elsewhere = try Scratch()
    elsewhere.directory(".optima")
    elsewhere.file(".optima/token.json", "theirs")
    elsewhere.file("token.json", "theirs")
    try create("a")
    rename(scratch(planted), scratch("moved"))
    scratch.link(planted, to: elsewhere.path)
    #expect(tree.removeAll().leftovers.map(\.cause.kind).contains(.notADirectory))
    #expect(names(in: elsewhere.path) == [".optima", "token.json"])
    #expect(names(in: elsewhere(".optima")) == ["token.json"])
  }

  @Test func whatAFailedCreationHasMadeIsRemovedToo() async {
    // In a process of its own: no file may grow there, so the directories are made and the token can't be written.
    await #expect(processExitsWith: .success) {
      signal(SIGXFSZ, SIG_IGN)
      var nothing = rlimit(rlim_cur: 0, rlim_max: 0)
      setrlimit(__rlimit_resource_t(1), &nothing)
      let scratch = try Scratch()
      let tree = try CreatedDirectories(root: scratch.path)
      let writer = try DirectoryWriter(tree: tree, token: [1, 2, 3])
      let failure = #expect(throws: WorkspaceError.self) { try writer.create(UserDirectoryName("a")) }
      #expect(failure?.systemError == EFBIG)
      #expect(names(in: scratch("a")) == [".claude", ".optima"])
      #expect(names(in: scratch("a/.optima")) == [])
      #expect(tree.removeAll() == .init(removed: 1, leftovers: []))
      #expect(names(in: scratch.path) == [])
    }
  }

  @Test func whatAWriterStoppedHalfWayLeftIsRemovedToo() throws {
    try create("a")
    rename(scratch("a/.optima/token.json"), scratch("a/.optima/.token.json.new"))
    #expect(tree.removeAll() == .init(removed: 1, leftovers: []))
    #expect(names(in: scratch.path) == [])
  }

  @Test func aTemporaryRootIsFreshPrivateAndOnlyRemovedWhenEmpty() throws {
    let first = try TemporaryRoot(in: scratch.path)
    let second = try TemporaryRoot(in: scratch.path)
    #expect(first.path != second.path)
    #expect(mode(first.path) == 0o700)
    mkdir("\(first.path)/someone", 0o700)
    #expect(code { try first.remove() } == .foreignFiles)
    rmdir("\(first.path)/someone")
    try first.remove()
    try first.remove()
    try second.remove()
    #expect(names(in: scratch.path) == [])
  }

  @Test func aRootThatIsMissingOrNoDirectoryIsAnError() {
    #expect(code { try CreatedDirectories(root: scratch("nowhere")) } == .notFound)
    #expect(code { try CreatedDirectories(root: scratch.file("file", "")) } == .notADirectory)
    #expect(code { try TemporaryRoot(in: scratch("nowhere")) } == .notFound)
  }
}
