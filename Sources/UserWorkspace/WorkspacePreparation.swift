/// What the agent in a task does when it is given a user: the user's directory is there, private, and holds the token.
public enum WorkspacePreparation {
  /// Makes, or enters, `directory` with its `.optima`, `.claude` and token.
  ///
  /// Missing directories between root and user are made with mode 0755, the user's own with 0700, the token with 0600; what is
  /// there already keeps its owner and mode. An earlier token is replaced in one step: a reader sees the old one or the new one.
  /// Blocks: call it from a thread of its own, never from the cooperative pool.
  /// - Parameters:
  ///   - directory: A path below `root`, spelled with the same prefix; no `.` or `..` in it.
  ///   - root: A directory that exists. Symbolic links are followed in its own path, and nowhere below it.
  ///   - token: The token's bytes, at most ``WorkspaceLayout/maximumTokenLength``.
  /// - Returns: Whether the user's directory was made new.
  /// - Throws: ``WorkspaceError`` with code `outsideRoot` before any file is touched, else the failure of the system call.
  public static func prepare(
    directory: String, inside root: String, token: [UInt8]
  ) throws(WorkspaceError) -> Bool {
    try prepare(directory: directory, inside: root, token: token, mask: .ofProcess)
  }

  static func prepare(
    directory: String, inside root: String, token: [UInt8], mask: CreationMask
  ) throws(WorkspaceError) -> Bool {
    try WorkspaceLayout.checkLength(of: token)
    let path = try PathBelowRoot(directory, inside: root)
    var parent = try DirectoryDescriptor(root: root)
    for name in path.parents {
      _ = try parent.makeIfMissing(name.characters, mode: WorkspaceLayout.sharedDirectoryMode, mask: mask)
      parent = try parent.enter(name.characters)
    }
    let mode = WorkspaceLayout.privateDirectoryMode
    let isNew = try parent.makeIfMissing(path.last.characters, mode: mode, mask: mask)
    let user = try parent.enter(path.last.characters)
    _ = try user.makeIfMissing(LayoutName.product, mode: mode, mask: mask)
    _ = try user.makeIfMissing(LayoutName.assistant, mode: mode, mask: mask)
    // A planted link instead of a directory must be an error here too, not a surprise for the user's process.
    _ = try user.enter(LayoutName.assistant)
    let product = try user.enter(LayoutName.product)
    try replaceToken(in: product, with: token, mask: mask)
    return isNew
  }

  private static func replaceToken(
    in product: borrowing DirectoryDescriptor, with token: [UInt8], mask: CreationMask
  ) throws(WorkspaceError) {
    // Two tasks may prepare one user at once (a reconnect): each writes under a name of its own.
    let temporary = PathName(".\(WorkspaceLayout.tokenFile).\(String(UInt64.random(in: .min ... .max), radix: 36))")
    let file = try TokenFile.write(token, as: temporary.characters, in: product, mask: mask)
    try TokenFile.finish(file, temporary.characters, in: product)
    try TokenFile.publish(temporary.characters, as: LayoutName.token, in: product)
  }
}
