import Glibc

/// The content and the modes of a user's directory: `{root}/{environment}/{user}/.optima/token.json` and `.claude`.
public enum WorkspaceLayout {
  /// The product's own directory in the user's, mode 0700.
  public static var productDirectory: String { String(cString: LayoutName.product) }
  /// The assistant's directory in the user's, mode 0700.
  public static var assistantDirectory: String { String(cString: LayoutName.assistant) }
  /// The token's file in the product's directory, mode 0600.
  public static var tokenFile: String { String(cString: LayoutName.token) }
  /// The longest token, in bytes; a token is read back into one buffer of this size.
  public static let maximumTokenLength = 65_536

  /// Mode of a user's directory and of the directories in it.
  static let privateDirectoryMode: mode_t = 0o700
  /// Mode of the environment directories above the users' directories: tasks under other user ids must pass through
  /// them.
  static let sharedDirectoryMode: mode_t = 0o755
  /// Mode of the token.
  static let tokenMode: mode_t = 0o600

  static func checkLength(of token: [UInt8]) throws(WorkspaceError) {
    guard token.count > maximumTokenLength else { return }
    throw WorkspaceError(
      .tokenTooLong, "a token of \(token.count) bytes is longer than \(maximumTokenLength); shorten it")
  }
}

/// The layout's names as C strings in the program's constant data; their use needs no allocation and no initialisation.
enum LayoutName {
  @inline(__always) static var product: UnsafePointer<CChar> { cString(".optima") }
  @inline(__always) static var assistant: UnsafePointer<CChar> { cString(".claude") }
  @inline(__always) static var token: UnsafePointer<CChar> { cString("token.json") }
  /// A token while a benchmark writes it. In a directory that was just created, no other writer can use the name.
  @inline(__always) static var newToken: UnsafePointer<CChar> { cString(".token.json.new") }

  /// String literals end with a NUL.
  @inline(__always)
  private static func cString(_ literal: StaticString) -> UnsafePointer<CChar> {
    UnsafeRawPointer(literal.utf8Start).assumingMemoryBound(to: CChar.self)
  }
}

/// The name of a user's directory below its root, ready for system calls.
public struct UserDirectoryName: Hashable, Sendable, CustomStringConvertible {
  let name: PathComponent

  /// - Throws: ``WorkspaceError`` of the kind `outsideRoot` unless `user` is one plain path component that does not
  ///   start with a dot.
  public init(_ user: String) throws(WorkspaceError) {
    let bytes = Array(user.utf8)
    guard let first = bytes.first, first != UInt8(ascii: "."), !bytes.contains(UInt8(ascii: "/")), !bytes.contains(0)
    else {
      throw WorkspaceError(.outsideRoot, "'\(user)' can't name a user's directory; use letters, digits, '-' and '_'")
    }
    name = PathComponent(bytes: bytes)
  }

  /// The name as text.
  public var description: String { name.text }
}

/// The preparation of a user's directory by the agent in a task: it is created with private modes and gets the token.
public enum WorkspacePreparation {
  /// Creates, or enters, `directory` with its `.optima`, `.claude` and token.
  ///
  /// Missing directories between root and user are created with mode 0755, the user's own with 0700, the token with
  /// 0600; existing ones keep their owner and mode. An earlier token is replaced in one step, so that a reader sees
  /// either the old or the new one. The call blocks: make it from a thread of its own, never from the cooperative pool.
  /// - Parameters:
  ///   - directory: a path below `root`, spelled with the same prefix; no `.` or `..` in it.
  ///   - root: an existing directory. Symbolic links are followed in its own path, and nowhere below it.
  ///   - token: the token's bytes, at most ``WorkspaceLayout/maximumTokenLength``.
  ///   - owner: the uid and gid that own the user's directory and what is created in it; nil: this process'. A directory
  ///     that is there and belongs to somebody else is refused.
  /// - Returns: whether the user's directory is new.
  /// - Throws: ``WorkspaceError`` of the kind `outsideRoot` before any file is touched, else the failed system call.
  public static func prepare(
    directory: String, inside root: String, token: [UInt8], owner: UInt32? = nil
  ) throws(WorkspaceError) -> Bool {
    try prepare(directory: directory, inside: root, token: token, owner: owner, mask: .ofProcess)
  }

  static func prepare(
    directory: String, inside root: String, token: [UInt8], owner: UInt32? = nil, mask: Umask
  ) throws(WorkspaceError) -> Bool {
    try WorkspaceLayout.checkLength(of: token)
    let path = try PathBelowRoot(directory, inside: root)
    var parent = try DirectoryDescriptor(root: root)
    for name in path.parents {
      _ = try parent.makeIfMissing(name.characters, mode: WorkspaceLayout.sharedDirectoryMode, mask: mask)
      parent = try parent.enter(name.characters)
    }
    let mode = WorkspaceLayout.privateDirectoryMode
    let isNew = try parent.makeIfMissing(path.last.characters, mode: mode, mask: mask, owner: owner)
    let user = try parent.enter(path.last.characters)
    // A preparation that was cut off before it gave the directory away has left it empty.
    if let owner, !isNew, try user.owner() == geteuid(), parent.someNames(in: path.last.characters).isEmpty {
      try parent.enter(path.last.characters, forSync: true).give(to: owner)
    }
    if let owner, try user.owner() != owner {
      throw WorkspaceError(
        .permissionDenied,
        "'\(directory)' belongs to another user than uid \(owner): give it to that uid, or move it away")
    }
    _ = try user.makeIfMissing(LayoutName.product, mode: mode, mask: mask, owner: owner)
    _ = try user.makeIfMissing(LayoutName.assistant, mode: mode, mask: mask, owner: owner)
    // A planted link in place of the directory must be an error here and not reach the user's process.
    _ = try user.enter(LayoutName.assistant)
    let product = try user.enter(LayoutName.product)
    try replaceToken(in: product, with: token, owner: owner, mask: mask)
    return isNew
  }

  private static func replaceToken(
    in product: borrowing DirectoryDescriptor, with token: [UInt8], owner: UInt32?, mask: Umask
  ) throws(WorkspaceError) {
    // Two tasks may prepare one user at the same time (a reconnect), so each writes under a name of its own.
    let suffix = String(UInt64.random(in: .min ... .max), radix: 36)
    let temporary = PathComponent(".\(WorkspaceLayout.tokenFile).\(suffix)")
    let file = try TokenFile.write(token, as: temporary.characters, in: product, mask: mask)
    if let owner { try TokenFile.give(file, temporary.characters, to: owner, in: product) }
    try TokenFile.finish(file, temporary.characters, in: product)
    try TokenFile.publish(temporary.characters, as: LayoutName.token, in: product)
  }
}
