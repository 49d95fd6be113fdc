/// What may name a user: 1–128 of `[A-Za-z0-9._-]`, not starting with a dot. Checked by the tools and by the gateway.
public enum UserID {
  /// The longest user id, in characters.
  public static let maximumLength = 128

  /// Whether `text` is a valid user id.
  public static func isValid(_ text: some StringProtocol) -> Bool {
    let bytes = text.utf8
    guard let first = bytes.first, first != UInt8(ascii: "."), bytes.count <= maximumLength else { return false }
    return bytes.allSatisfy(isAllowed)
  }

  /// What to say to whoever gave an invalid one.
  public static let rule = "1 to 128 of A-Z, a-z, 0-9, '.', '_' and '-', not starting with a dot"

  private static func isAllowed(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
      true
    default: false
    }
  }
}
