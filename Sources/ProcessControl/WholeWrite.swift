import Glibc

/// Writing all of some bytes, which `write(2)` alone does not promise.
public enum WholeWrite {
  /// Writes all of `bytes` to `descriptor`, however long its reader takes.
  ///
  /// - Returns: nil, or the errno that tells why the rest is lost.
  @discardableResult
  public static func write(_ bytes: some Sequence<UInt8>, to descriptor: Int32) -> Int32? {
    var rest = Array(bytes)[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return count < 0 ? errno : EIO }
      rest = rest.dropFirst(count)
    }
    return nil
  }
}
