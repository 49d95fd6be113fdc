import NIOCore
import Testing
import Transport

/// Which address a user begins with, and which are left out.
@Suite struct HostAddressRotationTests {
  private static func address(_ text: String) -> SocketAddress {
    guard let address = try? SocketAddress(ipAddress: text, port: 80) else {
      // The texts are this file's own: a wrong one is a mistake in the test.
      preconditionFailure("no address: \(text)")
    }
    return address
  }

  private static let (a, b, c) = (address("10.0.0.1"), address("10.0.0.2"), address("::1"))

  private func rotation(_ addresses: SocketAddress...) -> AddressRotation {
    var rotation = AddressRotation()
    rotation.found(addresses)
    return rotation
  }

  @Test func userNBeginsWithAddressNModCountAndGoesOnInTurn() {
    let rotation = rotation(Self.a, Self.b, Self.c)
    #expect(rotation.order(turn: 0) == [Self.a, Self.b, Self.c])
    #expect(rotation.order(turn: 1) == [Self.b, Self.c, Self.a])
    #expect(rotation.order(turn: 5) == [Self.c, Self.a, Self.b])
  }

  @Test func anAddressThatIsListedTwiceCountsOnce() {
    #expect(rotation(Self.a, Self.b, Self.a).order(turn: 2) == [Self.a, Self.b])
  }

  @Test func oneThatNeverConnectedIsLeftOutAsSoonAsAnotherHas() {
    var rotation = rotation(Self.c, Self.a)
    rotation.failed(Self.c, "connection refused")
    #expect(rotation.order(turn: 0).count == 2, "nothing has connected yet")
    rotation.connected(Self.a)
    for turn in 0..<4 { #expect(rotation.order(turn: turn) == [Self.a]) }
    #expect(
      rotation.notes(host: "localhost") == [
        "localhost is also ::1 (connection refused): nothing connected there in this run, and it was left out"
      ])
  }

  @Test func oneThatHasConnectedIsTriedOnThoughItRefuses() {
    var rotation = rotation(Self.a, Self.b)
    rotation.connected(Self.a)
    rotation.connected(Self.b)
    rotation.failed(Self.a, "connection refused")
    rotation.failed(Self.a, "no connection within 1000 ms")
    #expect(rotation.order(turn: 0) == [Self.a, Self.b])
    let notes = rotation.notes(host: "g")
    #expect(notes.count == 2 && notes[0].contains("over 2 addresses of g in turn; connections: 10.0.0.1 1, 10.0.0.2 1"))
    #expect(notes[1].hasPrefix("2 connections to 10.0.0.1 failed (connection refused)"), "\(notes)")
  }

  @Test func aHostOfOneAddressAndATargetThatIsDownNeedNoNote() {
    var single = rotation(Self.a)
    single.connected(Self.a)
    var dead = rotation(Self.a, Self.b)
    dead.failed(Self.a, "x")
    dead.failed(Self.b, "x")
    #expect(single.notes(host: "g") == [] && dead.notes(host: "g") == [])
    #expect(dead.order(turn: 1) == [Self.b, Self.a])
  }

  @Test func whatWasSeenOutlivesANewLookUp() {
    var rotation = rotation(Self.a, Self.c)
    rotation.connected(Self.a)
    rotation.failed(Self.c, "connection refused")
    rotation.found([Self.c, Self.a, Self.b])
    #expect(rotation.order(turn: 0) == [Self.a, Self.b])
  }

  @Test func aNoteNamesAtMostEightAddresses() throws {
    var rotation = AddressRotation()
    let all = (1...20).map { Self.address("10.0.0.\($0)") }
    rotation.found(all)
    for address in all { rotation.connected(address) }
    let note = try #require(rotation.notes(host: "g").first)
    #expect(note.contains("over 20 addresses") && note.hasSuffix("10.0.0.8 1, …"))
  }
}
