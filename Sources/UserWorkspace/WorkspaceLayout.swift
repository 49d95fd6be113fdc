internal import Glibc

/// What a user's directory holds, and with which modes: `{root}/{environment}/{user}/.optima/token.json` and `.claude`.
public enum WorkspaceLayout {
  /// The product's own directory in the user's, mode 0700.
  public static var productDirectory: String { String(cString: LayoutName.product) }
  /// The assistant's directory in the user's, mode 0700.
  public static var assistantDirectory: String { String(cString: LayoutName.assistant) }
  /// The token's file in the product's directory, mode 0600.
  public static var tokenFile: String { String(cString: LayoutName.token) }
  /// The longest token, in bytes: it is read back into one buffer.
  public static let maximumTokenLength = 65_536

  /// Mode of a user's directory and of those in it.
  static let privateDirectoryMode: mode_t = 0o700
  /// Mode of the environment directories above the users: tasks under other user ids must pass through them.
  static let sharedDirectoryMode: mode_t = 0o755
  /// Mode of the token.
  static let tokenMode: mode_t = 0o600

  static func checkLength(of token: [UInt8]) throws(WorkspaceError) {
    guard token.count > maximumTokenLength else { return }
    throw WorkspaceError(
      .tokenTooLong, "a token of \(token.count) bytes is longer than \(maximumTokenLength); shorten it")
  }
}

/// The layout's names as C strings in the program's constant data: using them neither allocates nor initialises anything.
enum LayoutName {
  @inline(__always) static var product: UnsafePointer<CChar> { cString(".optima") }
  @inline(__always) static var assistant: UnsafePointer<CChar> { cString(".claude") }
  @inline(__always) static var token: UnsafePointer<CChar> { cString("token.json") }
  /// A token while a benchmark writes it; in a directory just made, nobody else can be using the name.
  @inline(__always) static var newToken: UnsafePointer<CChar> { cString(".token.json.new") }

  /// String literals end with a NUL.
  @inline(__always)
  private static func cString(_ literal: StaticString) -> UnsafePointer<CChar> {
    UnsafeRawPointer(literal.utf8Start).assumingMemoryBound(to: CChar.self)
  }
}
