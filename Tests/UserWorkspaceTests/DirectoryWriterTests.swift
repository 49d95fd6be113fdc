import Glibc
import Latency
import Testing

@testable import UserWorkspace

@Suite struct DirectoryWriterTests {
  let scratch: Scratch
  let tree: CreatedDirectories
  let token = Array("{\"token\":\"secret\"}".utf8)

  init() throws {
    scratch = try Scratch()
    tree = try CreatedDirectories(root: scratch.path)
  }

  @Test(arguments: [false, true])
  func createMakesTheWholeLayoutAndItsPartsAddUp(fsync: Bool) throws {
    let writer = try DirectoryWriter(tree: tree, token: token, fsync: fsync)
    let times = try writer.create(UserDirectoryName("user-1"))
    #expect(mode(scratch("user-1")) == 0o700)
    #expect(mode(scratch("user-1/.claude")) == 0o700)
    #expect(mode(scratch("user-1/.optima")) == 0o700)
    #expect(mode(scratch("user-1/.optima/token.json")) == 0o600)
    #expect(names(in: scratch("user-1/.optima")) == ["token.json"])
    #expect(try readWholeFile(scratch("user-1/.optima/token.json")) == "{\"token\":\"secret\"}")
    #expect(times.mkdir > 0 && times.writeToken > 0)
    #expect((times.fsync > 0) == fsync)
    #expect(times.mkdir + times.writeToken + times.fsync == times.create.duration)
  }

  @Test func anExistingUsersDirectoryIsNeitherTouchedNorRemoved() throws {
    scratch.directory("user-1")
    scratch.file("user-1/notes", "mine")
    let writer = try DirectoryWriter(tree: tree, token: token)
    let user = try UserDirectoryName("user-1")
    #expect(code { try writer.create(user) } == .alreadyExists)
    #expect(code { try writer.remove(user) } == .notFound)
    #expect(tree.removeAll() == .init())
    #expect(names(in: scratch("user-1")) == ["notes"])
  }

  @Test func aLinkPlantedAtTheUsersNameIsNeverFollowed() throws {
    let elsewhere = try Scratch()
    scratch.link("user-1", to: elsewhere.path)
    let writer = try DirectoryWriter(tree: tree, token: token)
    let user = try UserDirectoryName("user-1")
    #expect(code { try writer.create(user) } == .alreadyExists)
    #expect(code { try writer.switchTo(user) } == .notADirectory)
    #expect(names(in: elsewhere.path) == [])
  }

  @Test func aPlantedTemporaryTokenIsNotWrittenThrough() throws {
    let victim = scratch.file("victim", "untouched")
    scratch.directory("product")
    scratch.link("product/.token.json.new", to: victim)
    let product = try DirectoryDescriptor(root: scratch("product"))
    #expect(
      code { try TokenFile.write(token, as: LayoutName.newToken, in: product, mask: .ofProcess) } == .alreadyExists)
    #expect(try readWholeFile(victim) == "untouched")
    #expect(names(in: scratch("product")) == [".token.json.new"])
  }

  @Test func switchAndReadFindTheTokenOfAnExistingUser() throws {
    let writer = try DirectoryWriter(tree: tree, token: token)
    let user = try UserDirectoryName("user-1")
    _ = try writer.create(user)
    let switched = try writer.switchTo(user)
    let read = try writer.read(user)
    #expect(switched.end > switched.start)
    #expect(read.start > switched.end && read.end > read.start)
  }

  @Test(arguments: ["", "{\"token\":\"secret\"", "{\"token\":\"secret\"}+", "{\"token\":\"secreT\"}"])
  func aTokenOtherThanTheOneWrittenIsAnError(content: String) throws {
    let writer = try DirectoryWriter(tree: tree, token: token)
    let user = try UserDirectoryName("user-1")
    _ = try writer.create(user)
    scratch.file("user-1/.optima/token.json", content)
    #expect(code { try writer.switchTo(user) } == .contentDiffers)
    #expect(code { try writer.read(user) } == .contentDiffers)
  }

  @Test func linksAndPipesInPlaceOfTheTokenAreErrorsThatDoNotHang() throws {
    let writer = try DirectoryWriter(tree: tree, token: token)
    let user = try UserDirectoryName("user-1")
    _ = try writer.create(user)
    let path = scratch("user-1/.optima/token.json")
    unlink(path)
    #expect(code { try writer.read(user) } == .notFound)
    scratch.link("user-1/.optima/token.json", to: scratch.file("copy", "{\"token\":\"secret\"}"))
    #expect(code { try writer.read(user) } == .symbolicLink)
    unlink(path)
    mkfifo(path, 0o600)
    #expect(code { try writer.read(user) } == .contentDiffers)
  }

  @Test(arguments: ["", ".", "..", ".hidden", "a/b", "../x", "/etc", "a\0b"])
  func aNameThatIsNoPlainComponentIsRefused(name: String) {
    #expect(code { try UserDirectoryName(name) } == .outsideRoot)
  }

  @Test func anOverlongNameIsTheKernelsErrorAndMakesNothing() throws {
    let writer = try DirectoryWriter(tree: tree, token: token)
    let user = try UserDirectoryName(String(repeating: "x", count: 10_000))
    #expect(code { try writer.create(user) } == .systemCallFailed)
    #expect(names(in: scratch.path) == [])
  }

  @Test func aHostileUmaskDoesNotChangeTheModes() async {
    await #expect(processExitsWith: .success) {
      umask(0o777)
      let scratch = try Scratch()
      let writer = try DirectoryWriter(tree: CreatedDirectories(root: scratch.path), token: [1])
      _ = try writer.create(UserDirectoryName("user-1"))
      #expect(mode(scratch("user-1")) == 0o700)
      #expect(mode(scratch("user-1/.claude")) == 0o700)
      #expect(mode(scratch("user-1/.optima/token.json")) == 0o600)
    }
  }
}

/// The code of the error that `body` throws; nil if it throws none.
func code<Result: ~Copyable>(_ body: () throws -> Result) -> WorkspaceError.Kind? {
  do {
    _ = try body()
    return nil
  } catch {
    return (error as? WorkspaceError)?.kind
  }
}
