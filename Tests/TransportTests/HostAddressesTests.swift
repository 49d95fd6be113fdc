import Latency
import NIOCore
import Synchronization
import TestSupport
import Testing
import Transport

/// A host with several addresses, by a resolver of the tests' own.
@Suite(.timeLimit(.minutes(1))) struct HostAddressesTests {
  private final class Questions: Sendable {
    let count = Mutex(0)
  }

  /// 127.0.0.2 is this machine too, and nobody listens there.
  private func addresses(_ port: Int, _ hosts: [String], _ questions: Questions = Questions()) -> HostAddresses {
    HostAddresses(of: endpoint(port)) { _, port, loop in
      questions.count.withLock { $0 += 1 }
      return loop.scheduleTask(in: .milliseconds(20)) {
        try hosts.map { try SocketAddress(ipAddress: $0, port: port) }
      }.futureResult
    }
  }

  private func endpoint(_ port: Int, isSecure: Bool = false) -> Endpoint {
    Endpoint(host: "gateway.test", port: port, isSecure: isSecure)
  }

  private func connect(
    _ port: Int, _ addresses: HostAddresses, turn: Int = 0, tls: TLSClient? = nil, timeout: Nanoseconds = 20 * second
  ) async -> Result<HTTPConnection, TransportError> {
    await HTTPConnection.connect(
      to: endpoint(port, isSecure: tls != nil), addresses: addresses, turn: turn, tls: tls,
      on: testLoops.executor(forUser: turn), timeout: timeout)
  }

  @Test func theNameIsLookedUpOnceForAllWhoWait() async throws {
    let server = try await ScriptedServer { _ in [] }
    let questions = Questions()
    let addresses = addresses(server.port, ["127.0.0.1"], questions)
    let connections = await withTaskGroup(of: HTTPConnection?.self) { group in
      for turn in 0..<20 { group.addTask { try? await connect(server.port, addresses, turn: turn).get() } }
      return await group.reduce(into: []) { $0.append($1) }
    }
    let first = connections.compactMap(\.self)
    #expect(first.count == 20 && questions.count.withLock { $0 } == 1)
    // Each has waited for it, and its connect says so.
    for connection in first { #expect(connection.phases.lookUp >= .milliseconds(1)) }
    let later = try await connect(server.port, addresses).get()
    #expect(later.phases.lookUp == 0 && questions.count.withLock { $0 } == 1)
    for connection in first + [later] { connection.close() }
    await server.stop()
  }

  @Test func aRefusedTryIsNotInConnectAndTheNextAddressTakesTheUser() async throws {
    let server = try await ScriptedServer { _ in [ScriptedServer.answer("here")] }
    let addresses = addresses(server.port, ["127.0.0.2", "127.0.0.1"])
    let connection = try await connect(server.port, addresses).get()
    let phases = connection.phases
    #expect(phases.startedAt < phases.dialedAt && phases.dialedAt <= phases.connectedAt)
    // The look-up's 20 ms are in it, what went between that and the last try is not.
    #expect(phases.connect == phases.lookUp + (phases.connectedAt - phases.dialedAt))
    #expect(await connection.get().bodyText == "here")
    // From now on nobody is sent to the other.
    for turn in 0..<3 { (try await connect(server.port, addresses, turn: turn).get()).close() }
    #expect(addresses.notes.count == 1)
    #expect(addresses.notes[0].hasPrefix("gateway.test is also 127.0.0.2 (connection refused)"), "\(addresses.notes)")
    connection.close()
    await server.stop()
  }

  @Test func aHostWhoseAddressesAllRefuseIsRefused() async throws {
    let server = try await ScriptedServer { _ in [] }
    await server.stop()
    let addresses = addresses(server.port, ["127.0.0.2", "127.0.0.1"])
    let error = await connect(server.port, addresses).failure
    #expect(error == TransportError(.connectRefused, "nobody listens on gateway.test:\(server.port)"))
    #expect(addresses.notes == [])
  }

  @Test func aNameWithoutAddressesIsAnErrorOfItsOwnKind() async throws {
    let none = addresses(1, [])
    #expect(await connect(1, none).failure?.kind == .dns)
    let failing = HostAddresses(of: endpoint(1)) { _, _, loop in loop.makeFailedFuture(UnresolvedHost()) }
    #expect(await connect(1, failing).failure?.kind == .dns)
  }

  @Test func theTimeOutIsForTheLookUpTooAndItsEndHarmsNobody() async throws {
    let addresses = HostAddresses(of: endpoint(1)) { _, port, loop in
      loop.scheduleTask(in: .milliseconds(300)) { [try SocketAddress(ipAddress: "127.0.0.2", port: port)] }.futureResult
    }
    #expect(await connect(1, addresses, timeout: .milliseconds(50)).failure?.kind == .connectTimeout)
    try await Task.sleep(for: .milliseconds(400))
    #expect(await connect(1, addresses).failure?.kind == .connectRefused)
  }

  @Test(.enabled(if: TestCertificate.isAvailable, "needs /usr/bin/openssl"))
  func theHostsNameIsSentAndVerifiedWhicheverAddressIsTaken() async throws {
    let certificate = try TestCertificate(names: "DNS:gateway.test")
    let server = try await ScriptedServer(tls: certificate.server) { _ in [ScriptedServer.answer("secret")] }
    let addresses = addresses(server.port, ["127.0.0.2", "127.0.0.1"])
    let connection = try await connect(server.port, addresses, tls: try TLSClient(caFile: certificate.path)).get()
    #expect(await connection.get().bodyText == "secret")
    connection.close()
    await server.stop()
  }

  @Test func aCancelledConnectTriesNoOtherAddress() async throws {
    let server = try await ScriptedServer { _ in [] }
    let addresses = addresses(server.port, ["127.0.0.1"])
    let port = server.port
    let connecting = Task { await connect(port, addresses) }
    connecting.cancel()
    #expect(await connecting.value.failure?.kind == .cancelled)
    try await Task.sleep(for: .milliseconds(50))
    #expect(server.connectionCount == 0)
    await server.stop()
  }
}
