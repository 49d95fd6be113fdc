internal import Glibc

/// Something that stays because removing it was not possible, or not this suite's to do.
public struct Leftover: Sendable, Equatable, CustomStringConvertible {
  /// Where it is, relative to the tree's root.
  public let path: String
  /// Why it stays: code `foreignFiles`, `notADirectory`, or the failed system call.
  public let cause: WorkspaceError

  /// Path and reason, for a note to the user.
  public var description: String { "'\(path)' stays: \(cause.message)" }
}

/// Removes one user's directory by the names that the suite gives, and nothing else: no listing, no recursion, no links followed.
enum UserRemoval {
  static func remove(_ user: PathName, from root: borrowing DirectoryDescriptor) -> [Leftover] {
    var leftovers: [Leftover] = []
    do throws(WorkspaceError) {
      let directory = try root.enter(user.characters)
      removeProductDirectory(in: directory, of: user, &leftovers)
      removeEmpty(LayoutName.assistant, in: directory, below: user, &leftovers)
    } catch {
      if error.code == .notFound { return leftovers }
      leftovers.append(Leftover(path: user.text, cause: error))
    }
    if leftovers.isEmpty { removeEmpty(user.characters, in: root, below: nil, &leftovers) }
    return leftovers
  }

  private static func removeProductDirectory(
    in user: borrowing DirectoryDescriptor, of name: PathName, _ leftovers: inout [Leftover]
  ) {
    do throws(WorkspaceError) {
      let product = try user.enter(LayoutName.product)
      try product.remove(LayoutName.token)
      // Only there if its writer was stopped between making it and renaming it.
      try product.remove(LayoutName.newToken)
    } catch {
      if error.code != .notFound {
        leftovers.append(Leftover(path: "\(name.text)/\(WorkspaceLayout.productDirectory)", cause: error))
      }
      return
    }
    removeEmpty(LayoutName.product, in: user, below: name, &leftovers)
  }

  private static func removeEmpty(
    _ name: UnsafePointer<CChar>, in parent: borrowing DirectoryDescriptor, below user: PathName?, _ leftovers: inout [Leftover]
  ) {
    do throws(WorkspaceError) {
      try parent.remove(name, flags: AT_REMOVEDIR)
    } catch {
      let path = (user.map { $0.text + "/" } ?? "") + String(cString: name)
      var cause = error
      if error.code == .foreignFiles {
        let names = parent.someNames(in: name).joined(separator: "', '")
        cause = WorkspaceError(
          .foreignFiles, "'\(path)' holds '\(names)', which this run did not make; look at it and remove it by hand",
          systemError: error.systemError)
      }
      leftovers.append(Leftover(path: path, cause: cause))
    }
  }
}
