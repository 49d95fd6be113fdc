public import Latency

/// The begin and the end of one operation.
public struct TimedStep: Sendable, Equatable {
  /// The instant just before its first system call.
  public let start: Instant
  /// The instant just after its last system call.
  public let end: Instant
  /// The operation's duration.
  public var duration: Nanoseconds { end - start }
}

/// The times of one creation of a user's directory: the whole and its parts.
public struct CreateTimes: Sendable, Equatable {
  /// The whole creation.
  public let create: TimedStep
  /// Creating the user's directory, `.optima` and `.claude`.
  public let mkdir: Nanoseconds
  /// Opening, writing, closing and renaming the token.
  public let writeToken: Nanoseconds
  /// `fsync` of the token and of the three directories above it; zero unless the writer has `fsync`.
  public let fsync: Nanoseconds
}

/// Creates, enters, reads and removes users' directories with system calls, and times each step.
///
/// For one thread: create the writer on the thread that uses it. Every operation blocks. Between two clock readings
/// nothing is allocated.
public struct DirectoryWriter: ~Copyable {
  private let tree: CreatedDirectories
  private let root: DirectoryDescriptor
  private let token: [UInt8]
  private let syncs: Bool
  private let mask: Umask
  private let reader: TokenReader

  /// - Parameters:
  ///   - tree: records what this writer creates; its root holds the users' directories.
  ///   - token: the content of every user's token, at most ``WorkspaceLayout/maximumTokenLength`` bytes.
  ///   - fsync: whether a creation includes writing it to stable storage.
  /// - Throws: ``WorkspaceError`` when the root cannot be opened (with `fsync`: read), or the token is too long.
  public init(tree: CreatedDirectories, token: [UInt8], fsync: Bool = false) throws(WorkspaceError) {
    try WorkspaceLayout.checkLength(of: token)
    let root = try DirectoryDescriptor(root: tree.root, forSync: fsync)
    self.tree = tree
    self.root = root
    self.token = token
    syncs = fsync
    reader = TokenReader()
    mask = .ofProcess
  }

  /// Creates the user's directory, 0700, with `.optima`, `.claude` and the token, 0600.
  /// - Throws: ``WorkspaceError``: kind `alreadyExists` if the user's name is taken (the entry is left alone), else the
  ///   failed call. The tree records what was created before a failure, and removes it later.
  public func create(_ user: UserDirectoryName) throws(WorkspaceError) -> CreateTimes {
    let name = user.name.characters
    let start = MonotonicClock.now()
    try root.make(name, mode: WorkspaceLayout.privateDirectoryMode, mask: mask)
    defer { tree.remember(user) }
    let directory = try root.enter(name, forSync: syncs)
    try directory.make(LayoutName.product, mode: WorkspaceLayout.privateDirectoryMode, mask: mask)
    try directory.make(LayoutName.assistant, mode: WorkspaceLayout.privateDirectoryMode, mask: mask)
    let product = try directory.enter(LayoutName.product, forSync: syncs)
    let directoriesMade = MonotonicClock.now()

    let temporary = LayoutName.newToken
    let file = try TokenFile.write(token, as: temporary, in: product, mask: mask)
    let written = MonotonicClock.now()
    if syncs { try TokenFile.sync(file, temporary, in: product) }
    let tokenSynced = syncs ? MonotonicClock.now() : written
    try TokenFile.finish(file, temporary, in: product)
    try TokenFile.publish(temporary, as: LayoutName.token, in: product)
    let published = MonotonicClock.now()
    if syncs {
      try product.sync(LayoutName.product)
      try directory.sync(name)
      try root.sync(name)
    }
    let end = syncs ? MonotonicClock.now() : published
    return CreateTimes(
      create: TimedStep(start: start, end: end), mkdir: directoriesMade - start,
      writeToken: (written - directoriesMade) + (published - tokenSynced),
      fsync: (tokenSynced - written) + (end - published))
  }

  /// Enters an existing user's directory and reads its token, as a task does for a returning user.
  /// - Throws: ``WorkspaceError``: `notFound`, `notADirectory` (a link or file in the way), `contentDiffers`, or the
  ///   failed call.
  public func switchTo(_ user: UserDirectoryName) throws(WorkspaceError) -> TimedStep {
    let name = user.name.characters
    let start = MonotonicClock.now()
    let directory = try root.enter(name)
    let length = try reader.read(in: directory)
    let end = MonotonicClock.now()
    try check(length, user)
    return TimedStep(start: start, end: end)
  }

  /// Reads only the token; the user's directory is entered before the clock starts.
  /// - Throws: the errors of ``switchTo(_:)``.
  public func read(_ user: UserDirectoryName) throws(WorkspaceError) -> TimedStep {
    let directory = try root.enter(user.name.characters)
    let start = MonotonicClock.now()
    let length = try reader.read(in: directory)
    let end = MonotonicClock.now()
    try check(length, user)
    return TimedStep(start: start, end: end)
  }

  /// Removes the user's directory: its known files by name, and its directories only once they are empty.
  /// - Throws: ``WorkspaceError``: `notFound` if this tree did not create it; `foreignFiles` if it holds an entry that
  ///   the tree did not create, which stays; else the failed call. After a failure the tree still records the user.
  public func remove(_ user: UserDirectoryName) throws(WorkspaceError) -> TimedStep {
    guard tree.remembers(user) else {
      throw WorkspaceError(.notFound, "'\(user)' was not made by this run, so it is not removed; remove it by hand")
    }
    let start = MonotonicClock.now()
    let leftovers = UserRemoval.remove(user.name, from: root)
    let end = MonotonicClock.now()
    if let leftover = leftovers.first { throw leftover.cause }
    tree.forget(user)
    return TimedStep(start: start, end: end)
  }

  private func check(_ length: Int, _ user: UserDirectoryName) throws(WorkspaceError) {
    guard !reader.holds(token, length: length) else { return }
    throw WorkspaceError(
      .contentDiffers, "the token of '\(user)' is not what was written; does something else write below '\(tree.root)'?"
    )
  }
}
