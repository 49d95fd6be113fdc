import Glibc
import Synchronization

/// A gateway on loopback that lets a number of connections in and leaves the others at the door: their TCP connection is
/// never completed, as with a firewall that drops packets. Plain sockets: an event loop would accept everybody.
final class CrowdedGateway: Sendable {
  let url: String
  private let listener: Int32
  private let accepted = Mutex<[Int32]>([])

  /// Accepts `places` connections and answers every acquire and release of them.
  init(places: Int) throws {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    listener = descriptor
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let port: UInt16? = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        // A queue of nobody: one more than that is completed by the kernel.
        guard bind(descriptor, address, length) == 0, listen(descriptor, 0) == 0,
          getsockname(descriptor, address, &length) == 0
        else { return nil }
        return 0
      }
    }
    guard descriptor >= 0, port != nil else { throw Failure() }
    url = "http://127.0.0.1:\(UInt16(bigEndian: address.sin_port))"
    for _ in 0..<places { Self.inThread { [self] in serveNext() } }
  }

  struct Failure: Error {}

  /// Ends all connections.
  func stop() {
    shutdown(listener, Int32(SHUT_RDWR))
    // With the lock, so that none of them is closed meanwhile: its number may then be another test's socket.
    accepted.withLock { for descriptor in $0 { shutdown(descriptor, Int32(SHUT_RDWR)) } }
  }

  /// Every thread that accepts holds the gateway: none of them accepts at a number that is another test's by then.
  deinit { close(listener) }

  private func serveNext() {
    let descriptor = accept(listener, nil, nil)
    guard descriptor >= 0 else { return }
    accepted.withLock { $0.append(descriptor) }
    defer {
      accepted.withLock { open in
        open.removeAll { $0 == descriptor }
        close(descriptor)
      }
    }
    var buffer = [UInt8](repeating: 0, count: 65_536)
    var (pending, number) = ("", 0)
    while case let count = read(descriptor, &buffer, buffer.count), count > 0 {
      pending += String(decoding: buffer[..<count], as: UTF8.self)
      // Its requests have bodies that end with '}', or none.
      while let end = pending.firstRange(of: pending.hasPrefix("GET") ? "\r\n\r\n" : "}") {
        let request = pending[..<end.upperBound]
        number += 1
        let body =
          request.contains("/api/acquire")
          ? "{\"success\":true,\"taskId\":\"task-\(descriptor)-\(number)\",\"source\":\"warm\"}"
          : request.contains("/api/status") ? "{\"warmCount\":1000,\"assignedCount\":0}" : "{\"success\":true}"
        pending.removeSubrange(..<end.upperBound)
        let answer = Array("HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)".utf8)
        _ = send(descriptor, answer, answer.count, Int32(MSG_NOSIGNAL))
      }
    }
  }

  private static func inThread(_ body: @escaping @Sendable () -> Void) {
    final class Box {
      let body: @Sendable () -> Void; init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
    var thread = pthread_t()
    let context = Unmanaged.passRetained(Box(body)).toOpaque()
    pthread_create(
      &thread, nil,
      { context in
        if let context { Unmanaged<Box>.fromOpaque(context).takeRetainedValue().body() }
        return nil
      }, context)
    pthread_detach(thread)
  }
}
