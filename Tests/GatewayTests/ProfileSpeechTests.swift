import Gateway
import Testing

/// Which calls are made by code for the suite's own form of them, and which by a profile's data.
@Suite struct ProfileSpeechTests {
  private func profile() throws -> GatewayProfile {
    let pointer = try #require(JSONPointer("/id"))
    let path = try ProfileTemplate("/x/{task}", as: .path)
    return GatewayProfile(
      name: "a", status: .init(call: .init(method: "GET", path: path), warm: ProfileField([.init(pointer)])),
      acquire: .init(
        call: .init(method: "POST", path: path), success: .any, task: ProfileField([.init(pointer)])),
      release: .init(call: .init(method: "POST", path: path), success: .any))
  }

  @Test func whatIsTheSameIsDoneByTheCodeForItWhateverTheProfilesName() throws {
    let native = try profile()
    var other = native
    other.name = "b"
    #expect(GatewaySpeech(other, native: native) == GatewaySpeech())
  }

  @Test func eachRoleIsByDataWhereItDiffersAndAbsentWhereItIsMissing() throws {
    let native = try profile()
    var other = native
    other.acquire?.miss = .any
    other.release = nil
    let speech = GatewaySpeech(other, native: native)
    #expect(speech.status == .native)
    #expect(speech.acquire == .by(try #require(other.acquire)))
    #expect(speech.release == .absent)
  }

  @Test func aRoleThatTheCodeDoesNotKnowIsByData() throws {
    let profile = try profile()
    let speech = GatewaySpeech(profile, native: GatewayProfile(name: "none"))
    #expect(speech.status == .by(try #require(profile.status)))
    #expect(speech.acquire == .by(try #require(profile.acquire)))
    #expect(speech.release == .by(try #require(profile.release)))
  }
}
