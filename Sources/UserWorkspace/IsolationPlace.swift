internal import Glibc

/// The directory, open to all like `/tmp`, in which two user ids make their own for the probe; and what each does there.
///
/// Everything here goes by path, as another process would, so that the directories above are part of what is tested.
struct IsolationPlace: Sendable {
  /// How an attempt ended.
  enum Outcome: Sendable, Equatable {
    case succeeded
    case denied
    /// Neither: this errno says nothing about permissions.
    case unclear(Int32)
  }

  private let path: String
  private let name: String

  private static let token = Array("{\"token\":\"isolation-probe\"}".utf8)
  private static let intrusion = ".infrabench-intruder"

  /// - Throws: ``WorkspaceError`` when it can't be made, for example because the server maps root to nobody.
  init(root: String) throws(WorkspaceError) {
    name = "infrabench-isolation-\(String(UInt64.random(in: .min ... .max), radix: 36))"
    path = "\(root)/\(name)"
    try systemCall("mkdir", on: path) { mkdir(path, 0o700) }
    // The sticky bit: anyone may make a directory here, nobody may rename or remove another's.
    do throws(WorkspaceError) {
      try systemCall("chmod", on: path) { chmod(path, 0o1777) }
    } catch {
      rmdir(path)
      throw error
    }
  }

  func pathBelowRoot(of user: uid_t) -> String { "\(name)/\(user)" }

  /// Makes and reads back a directory of one's own; what went wrong, if anything did.
  func makeUser(of user: uid_t, mode: mode_t) -> WorkspaceError? {
    do throws(WorkspaceError) {
      _ = try WorkspacePreparation.prepare(directory: directory(of: user), inside: path, token: Self.token)
      if mode != WorkspaceLayout.privateDirectoryMode {
        try systemCall("chmod", on: directory(of: user)) { chmod(directory(of: user), mode) }
      }
      let entered = try DirectoryDescriptor(root: directory(of: user))
      let reader = TokenReader()
      guard reader.holds(Self.token, length: try reader.read(in: entered)) else {
        return WorkspaceError(.contentDiffers, "its own token isn't what it wrote")
      }
      return nil
    } catch {
      return error
    }
  }

  /// Tries everything on `user`'s directory; to be called under another id.
  func attemptAll(on user: uid_t) -> [(IsolationViolation.Attempt, Outcome)] {
    IsolationViolation.Attempt.allCases.map { ($0, attempt($0, on: user)) }
  }

  private func attempt(_ attempt: IsolationViolation.Attempt, on user: uid_t) -> Outcome {
    let token = "\(directory(of: user))/\(WorkspaceLayout.productDirectory)/\(WorkspaceLayout.tokenFile)"
    switch attempt {
    case .enter:
      // Any look-up inside needs the right to pass through.
      var status = stat()
      return outcome(of: lstat("\(directory(of: user))/\(WorkspaceLayout.productDirectory)", &status))
    case .list: return open(directory(of: user), O_RDONLY | O_DIRECTORY)
    case .readToken: return open(token, O_RDONLY)
    case .makeFile:
      let file = "\(directory(of: user))/\(Self.intrusion)"
      let result = open(file, O_WRONLY | O_CREAT | O_EXCL)
      if result == .succeeded { unlink(file) }
      return result
    case .overwriteToken: return open(token, O_WRONLY)
    }
  }

  private func open(_ file: String, _ flags: Int32) -> Outcome {
    let descriptor = Glibc.open(file, flags | O_NOFOLLOW | O_CLOEXEC, 0o600)
    let result = outcome(of: descriptor)
    if descriptor >= 0 { close(descriptor) }
    return result
  }

  private func outcome(of result: Int32) -> Outcome {
    if result >= 0 { return .succeeded }
    return errno == EACCES || errno == EPERM ? .denied : .unclear(errno)
  }

  /// Removes what ``makeUser(of:mode:)`` made, and nothing else.
  func removeUser(of user: uid_t) {
    guard let place = try? DirectoryDescriptor(root: path) else { return }
    if let entered = try? place.enter(PathName("\(user)").characters) {
      try? entered.remove(PathName(Self.intrusion).characters)
    }
    _ = UserRemoval.remove(PathName("\(user)"), from: place)
  }

  /// Removes the place, and what the users could not remove themselves; the paths that stay.
  func remove(users: [uid_t]) -> [String] {
    for user in users { removeUser(of: user) }
    return rmdir(path) == 0 ? [] : [name]
  }

  private func directory(of user: uid_t) -> String { "\(path)/\(user)" }
}
