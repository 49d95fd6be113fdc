import Gateway
import Testing

/// Which calls are made by code for the suite's own form of them, and which by a profile's data.
@Suite struct GatewayCallFormsTests {
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
    #expect(GatewayCallForms(other, native: native) == GatewayCallForms())
  }

  @Test func eachRoleIsByDataWhereItDiffersAndAbsentWhereItIsMissing() throws {
    let native = try profile()
    var other = native
    other.acquire?.miss = .any
    other.release = nil
    let callForms = GatewayCallForms(other, native: native)
    #expect(callForms.status == .native)
    #expect(callForms.acquire == .by(try #require(other.acquire)))
    #expect(callForms.release == .absent)
  }

  @Test func aRoleThatTheCodeDoesNotKnowIsByData() throws {
    let profile = try profile()
    let callForms = GatewayCallForms(profile, native: GatewayProfile(name: "none"))
    #expect(callForms.status == .by(try #require(profile.status)))
    #expect(callForms.acquire == .by(try #require(profile.acquire)))
    #expect(callForms.release == .by(try #require(profile.release)))
  }
}
