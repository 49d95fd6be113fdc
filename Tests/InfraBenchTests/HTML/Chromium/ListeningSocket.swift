import Glibc

/// A port on loopback that nobody should come to.
final class ListeningSocket: Sendable {
  let port: UInt16
  private let descriptor: Int32

  init() throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let status = withUnsafeMutablePointer(to: &address) { [descriptor] pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        bind(descriptor, address, length) == 0 && listen(descriptor, 8) == 0
          && getsockname(descriptor, address, &length) == 0
      }
    }
    port = UInt16(bigEndian: address.sin_port)
    guard status else { throw Chromium.Failure(description: "no port on loopback: \(errno)") }
  }

  deinit { close(descriptor) }

  /// How many come while `body` runs; each is turned away, as a page would wait for an answer.
  func visitors<T: Sendable>(during body: () async throws -> T) async throws -> (result: T, count: Int) {
    let counter = Task { [self] in
      var count = 0
      while !Task.isCancelled {
        if turnAway() { count += 1 } else { try? await Task.sleep(for: .milliseconds(10)) }
      }
      while turnAway() { count += 1 }
      return count
    }
    defer { counter.cancel() }
    let result = try await body()
    counter.cancel()
    return (result, await counter.value)
  }

  /// Whether somebody was there.
  private func turnAway() -> Bool {
    let visitor = accept(descriptor, nil, nil)
    if visitor >= 0 { close(visitor) }
    return visitor >= 0
  }
}
