import Glibc
import NIOCore
import NIOPosix

/// Asks the system for all addresses of a host, in the order of RFC 6724.
enum SystemResolver {
  /// Asks on a thread of its own, because the call blocks. Fails with `UnresolvedHost`.
  @Sendable static func find(
    _ host: String, port: Int, on eventLoop: any EventLoop
  ) -> EventLoopFuture<[SocketAddress]> {
    NIOThreadPool.singleton.runIfActive(eventLoop: eventLoop) { try addresses(of: host, port: port) }
  }

  private static func addresses(of host: String, port: Int) throws -> [SocketAddress] {
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    hints.ai_protocol = Int32(IPPROTO_TCP)
    var found: UnsafeMutablePointer<addrinfo>?
    guard getaddrinfo(host, "\(port)", &hints, &found) == 0 else { throw UnresolvedHost() }
    defer { freeaddrinfo(found) }
    var addresses: [SocketAddress] = []
    var next = found
    while let entry = next?.pointee {
      if let address = entry.ai_addr, let known = SocketAddress(address, entry.ai_family) { addresses.append(known) }
      next = entry.ai_next
    }
    return addresses
  }
}

extension SocketAddress {
  /// Makes an IPv4 or IPv6 address; nil for any other family.
  fileprivate init?(_ address: UnsafeMutablePointer<sockaddr>, _ family: Int32) {
    let raw = UnsafeRawPointer(address)
    switch family {
    case AF_INET: self.init(raw.loadUnaligned(as: sockaddr_in.self), host: "")
    case AF_INET6: self.init(raw.loadUnaligned(as: sockaddr_in6.self), host: "")
    default: return nil
    }
  }
}
