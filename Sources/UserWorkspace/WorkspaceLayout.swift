internal import Glibc

/// What a user's directory holds, and with which modes: `{root}/{environment}/{user}/.optima/token.json` and `.claude`.
public enum WorkspaceLayout {
  /// The product's own directory in the user's, mode 0700.
  public static let productDirectory = ".optima"
  /// The assistant's directory in the user's, mode 0700.
  public static let assistantDirectory = ".claude"
  /// The token's file in the product's directory, mode 0600.
  public static let tokenFile = "token.json"
  /// The longest token, in bytes: it is read back into one buffer.
  public static let maximumTokenLength = 65_536

  /// Mode of a user's directory and of those in it.
  static let privateDirectoryMode: mode_t = 0o700
  /// Mode of the environment directories above the users: tasks under other user ids must pass through them.
  static let sharedDirectoryMode: mode_t = 0o755
  /// Mode of the token.
  static let tokenMode: mode_t = 0o600
}

/// The layout's names as C strings that need no building: between two clock readings nothing allocates.
enum WorkspaceName {
  static let product = PathName(WorkspaceLayout.productDirectory)
  static let assistant = PathName(WorkspaceLayout.assistantDirectory)
  static let token = PathName(WorkspaceLayout.tokenFile)
}

/// One path component as a C string, built once.
struct PathName: Sendable {
  let characters: [CChar]

  /// The caller guarantees that `name` has no NUL and no slash.
  init(_ name: String) { self.init(bytes: Array(name.utf8)) }

  /// The same, from the bytes that the kernel will see.
  init(bytes: [UInt8]) { characters = bytes.map(CChar.init(bitPattern:)) + [0] }

  var text: String { String(decoding: characters.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self) }
}
