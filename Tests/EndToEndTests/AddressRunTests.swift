import Glibc
import ProcessControl
import Testing

@testable import InfraBench
@testable import Results

/// `localhost` is two addresses, 127.0.0.1 and ::1.
@Suite(.serialized, .timeLimit(.minutes(2)), .enabled(if: Loopback.hasBothAddresses, "localhost is not ::1 as well"))
struct AddressRunTests {
  /// A gateway on both, or on one of the two.
  private func gateway(_ hosts: [String]) async throws -> ScriptedGateway {
    try await ScriptedGateway(hosts: hosts) { request in
      switch request.line {
      case "GET /api/status": ScriptedGateway.status(warm: 5)
      case "POST /api/acquire":
        .json(#"{"success": true, "taskId": "\#(UInt64.random(in: 0 ... .max))", "source": "warm"}"#)
      default: .json(#"{"success": true}"#)
      }
    }
  }

  private func run(_ gateway: ScriptedGateway) async throws -> BenchResult {
    try await BenchRun.run(
      "bench-concurrent",
      ["--gateway-url", "http://localhost:\(gateway.port)", "--concurrency", "10"] + BenchRun.anySpeed)
  }

  @Test func usersTakeBothAddressesInTurn() async throws {
    let gateway = try await gateway(["127.0.0.1", "::1"])
    let document = try await run(gateway).document()
    await gateway.stop()
    let acquires = gateway.requests.filter { $0.line == "POST /api/acquire" }
    #expect(acquires.count == 10)
    for host in ["127.0.0.1", "::1"] { #expect(acquires.count { $0.host == host } == 5, "\(host)") }
    #expect(gateway.requests.allSatisfy { $0.head.contains("Host: localhost:\(gateway.port)\r\n") })
    let notes = document.notes.filter { $0.contains("localhost") }
    #expect(notes.count == 1 && notes[0].contains("over 2 addresses of localhost"), "\(document.notes)")
  }

  /// Two nodes that know their own tasks alone: a task that is held to the end goes back to the one that gave it.
  @Test func aTaskThatIsHeldGoesBackToTheAddressThatGaveIt() async throws {
    let numbers = Counting()
    let gateway = try await ScriptedGateway(hosts: ["127.0.0.1", "::1"]) { request in
      switch request.line {
      case "GET /api/status": ScriptedGateway.status(warm: 5)
      case "POST /api/acquire":
        .json(#"{"success": true, "taskId": "at \#(request.host) \#(numbers.next())", "source": "warm"}"#)
      default: .json(#"{"success": true}"#)
      }
    }
    let document = try await run(gateway).document()
    await gateway.stop()
    let releases = gateway.requests.filter { $0.line == "POST /api/release" }
    #expect(releases.count == 10 && document.counters["unreleased"] == 0)
    for release in releases {
      #expect(release.body.contains("at \(release.host) "), "\(release.host): \(release.body)")
    }
  }

  @Test(arguments: ["127.0.0.1", "::1"]) func oneThatNobodyListensOnIsLeftOut(host: String) async throws {
    let gateway = try await gateway([host])
    let result = try await run(gateway)
    await gateway.stop()
    let document = try result.document()
    #expect(result.status == .exited(0) && document.counters["errors"] == 0, "\(result.talk)")
    #expect(gateway.requests.count { $0.line == "POST /api/acquire" } == 10)
    let dead = host == "::1" ? "127.0.0.1" : "::1"
    let notes = document.notes.filter { $0.contains("localhost") }
    #expect(notes.count == 1, "\(document.notes)")
    #expect(
      notes.first == "localhost is also \(dead) (connection refused): nothing connected there in this run, and it was "
        + "left out")
    // No try at the other address is in it: a user has one connection.
    #expect(document.metrics["connect"]?.count == 10)
  }

  @Test func whereNobodyListensTheTargetIsSaidToRefuse() async throws {
    let gateway = try await gateway(["127.0.0.1"])
    await gateway.stop()
    let result = try await run(gateway)
    #expect(result.status == .exited(1))
    #expect(result.talk.contains("connect_refused: nobody listens on localhost:\(gateway.port)"), "\(result.talk)")
  }
}

/// What `localhost` is on this machine.
enum Loopback {
  static let hasBothAddresses: Bool = {
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var found: UnsafeMutablePointer<addrinfo>?
    guard getaddrinfo("localhost", "1", &hints, &found) == 0 else { return false }
    defer { freeaddrinfo(found) }
    var families: Set<Int32> = []
    var next = found
    while let entry = next?.pointee {
      families.insert(entry.ai_family)
      next = entry.ai_next
    }
    return families.isSuperset(of: [AF_INET, AF_INET6])
  }()
}
