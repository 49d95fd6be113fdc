import Glibc
import Testing

@testable import UserWorkspace

/// A workspace is removed with all that users have put into it, and nothing else is.
@Suite struct WorkspaceTreeTests {
  let scratch: Scratch

  init() throws { scratch = try Scratch() }

  @Test func everythingBelowIsRemovedAndNoLinkIsFollowed() throws {
    for path in ["tree", "tree/a", "tree/a/b", "kept"] { mkdir(scratch(path), 0o700) }
    scratch.file("tree/a/b/notes", "mine")
    scratch.file("kept/notes", "another's")
    symlink(scratch("kept"), scratch("tree/a/link"))
    symlink("kept/notes", scratch("tree/file-link"))
    symlink("/nonexistent", scratch("tree/dangling"))
    #expect(WorkspaceTree.remove(scratch("tree")))
    #expect(names(in: scratch.path) == ["kept"])
    #expect(names(in: scratch("kept")) == ["notes"])
  }

  @Test func aLinkInPlaceOfTheTreeIsNotFollowed() throws {
    mkdir(scratch("kept"), 0o700)
    scratch.file("kept/notes", "another's")
    symlink("kept", scratch("tree"))
    #expect(!WorkspaceTree.remove(scratch("tree")))
    #expect(names(in: scratch("kept")) == ["notes"])
    #expect(WorkspaceTree.remove(scratch("missing")))
  }
}
