import Glibc

/// What users' ids begin with unless it is given: `test-user-xxxx`, where the last four characters are made of the names of
/// the host and of who runs the tool. So colleagues' runs at one gateway don't meet, and no run litters a real file system
/// with new directories.
enum DefaultUserID {
  /// Of this host and user; the same in every run.
  static let prefix = prefix(host: hostName, user: userName)

  static func prefix(host: String, user: String) -> String {
    // FNV-1a with 64 bits; the hashes of Swift's library differ from run to run.
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in "\(host)\u{0}\(user)".utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    // The upper bits depend on all bytes.
    var rest = hash >> 32
    let digits = Array("0123456789abcdefghijklmnopqrstuvwxyz")
    var suffix = ""
    for _ in 0..<4 {
      suffix.append(digits[Int(rest % UInt64(digits.count))])
      rest /= UInt64(digits.count)
    }
    return "test-user-\(suffix)"
  }

  private static var hostName: String {
    var name = [CChar](repeating: 0, count: 256)
    guard gethostname(&name, name.count - 1) == 0 else { return "" }
    return name.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "" }
  }

  /// The number where there is no name.
  private static var userName: String {
    var entry = passwd()
    var result: UnsafeMutablePointer<passwd>?
    var buffer = [CChar](repeating: 0, count: 4096)
    guard getpwuid_r(getuid(), &entry, &buffer, buffer.count, &result) == 0, result != nil, let name = entry.pw_name
    else { return "\(getuid())" }
    return String(cString: name)
  }
}
