import Latency
import NIOCore
import TestSupport
import Transport

/// The loops of all tests of this target; they live as long as the process.
let testLoops = LoopGroup(threads: 2)

/// The kinds of loops that carry HTTP without TLS.
enum LoopKind: Sendable, CaseIterable {
  /// The loop of our own.
  case epoll
  /// SwiftNIO's.
  case nio

  private static let ofNIO = LoopGroup(threads: 2, for: .secureOrSockets)

  var loops: LoopGroup { self == .epoll ? testLoops : Self.ofNIO }

  func executor(_ number: Int = 0) -> LoopExecutor { loops.executor(forUser: number) }
}

let second: Nanoseconds = .seconds(1)

let getRequest = ByteBuffer(string: "GET /x HTTP/1.1\r\nHost: test\r\n\r\n")

extension HTTPConnection {
  /// A plain or TLS connection to 127.0.0.1.
  static func open(
    _ port: Int, tls: TLSClient? = nil, host: String = "127.0.0.1", timeout: Nanoseconds = 20 * second,
    idleBounds: IdleBounds = IdleBounds(), on executor: LoopExecutor = testLoops.executor(forUser: 0)
  ) async throws -> HTTPConnection {
    try await connect(
      to: Endpoint(host: host, port: port, isSecure: tls != nil), tls: tls, on: executor, timeout: timeout,
      idleBounds: idleBounds
    ).get()
  }

  func get(
    timeout: Nanoseconds = 20 * second, graceOnCancel: Nanoseconds = .zero
  ) async -> Result<HTTPExchange, TransportError> {
    await exchange(getRequest, timeout: timeout, graceOnCancel: graceOnCancel)
  }

  /// Waits until the connection is no longer usable; false after 10 s.
  func becomesUnusable() async -> Bool {
    for _ in 0..<5_000 {
      if !isUsable { return true }
      try? await Task.sleep(for: .milliseconds(2))
    }
    return false
  }
}

extension Result {
  var failure: Failure? {
    if case .failure(let error) = self { return error }
    return nil
  }
}

extension Result where Success == HTTPExchange {
  var bodyText: String? { (try? get()).map { String(buffer: $0.response.body) } }
}

/// Runs `work` on the thread of the first loop of its kind.
func onLoop<T: Sendable>(
  on kind: LoopKind = .epoll, _ work: @escaping @Sendable () async throws -> T
) async throws -> T {
  try await withThrowingTaskGroup(of: T.self) { group in
    group.addTask(executorPreference: kind.executor()) { try await work() }
    guard let value = try await group.next() else { throw CancellationError() }
    return value
  }
}
