import TestSupport
import Testing
@testable import AWS

/// The contract's order, over temporary homes and real HTTP.
@Suite struct PrecedenceTests {
  @Test(arguments: Place.allCases) func eachPlaceAloneGivesItsKey(place: Place) async throws {
    try await CredentialServer.run { server in
      let key = try await Place.home([place], server).credentials()
      #expect(key.accessKeyID == place.key)
      #expect(key.secretAccessKey.hasPrefix("s3cr3t"))
    }
  }

  @Test(arguments: Place.allCases) func theStrongerOfTwoPlacesWins(stronger: Place) async throws {
    let order = Place.allCases
    try await CredentialServer.run { server in
      for weaker in order[(order.firstIndex(of: stronger) ?? 0)...].dropFirst()
      where !(stronger.isProfile && weaker.isProfile) {
        let home = try Place.home([stronger, weaker], server)
        #expect(try await home.credentials().accessKeyID == stronger.key, "against \(weaker)")
      }
    }
  }

  @Test(arguments: Place.allCases) func aProfileFlagPassesTheEnvironmentOverAndNothingElse(place: Place) async throws {
    try await CredentialServer.run { server in
      var home = try Place.home([place], server)
      home.flags.profile = "default"
      if place.isPassedOver {
        let error = await awsError { _ = try await home.credentials() }
        #expect(error?.description.contains("passes") == true)
      } else {
        #expect(try await home.credentials().accessKeyID == place.key)
      }
    }
  }

  @Test func givenKeysComeBeforeEverything() async throws {
    try await CredentialServer.run { server in
      var home = try Place.home([.environment, .keys, .webIdentity, .container, .instance], server)
      home.flags.credentials = testKey
      #expect(try await home.credentials() == testKey)
      #expect(server.requests.isEmpty)
    }
  }

  @Test(
    arguments: [
      (.environment, "the environment (AWS_ACCESS_KEY_ID)"), (.keys, "profile 'default' in /"),
      (.process, "profile 'default' (credential_process) in /"),
      (.role, "role arn:aws:iam::1:role/role by way of profile 'base' in /"),
      (.webIdentity, "role arn:aws:iam::1:role/webIdentity by way of the web identity token in /"),
      (.container, "the container endpoint http://127.0.0.1:"), (.instance, "the instance's role web (IMDSv2)"),
    ] as [(Place, String)])
  func theSourceSaysWhereTheKeyCameFrom(place: Place, source: String) async throws {
    try await CredentialServer.run { server in
      let key = try await Place.home([place], server).credentials()
      #expect(key.source.hasPrefix(source), "\(key.source)")
    }
  }

  @Test(
    arguments: [
      (
        "web_identity_token_file = TOKEN\nrole_arn = arn:aws:iam::1:role/web\nsource_profile = base\n" + keys,
        "ASIAWEB"
      ),
      ("role_arn = arn:aws:iam::1:role/own\nsource_profile = p\n" + keys, "ASIAOWN"),
      ("credential_process = /bin/sh SCRIPT\n" + keys, "ASIASCRIPT"), ("sso_session = corp\n" + keys, "AKIAP"),
      ("sso_session = corp\ncredential_process = /bin/sh SCRIPT\n", "ASIASCRIPT"),
    ])
  func withinAConfigProfileTheOrderIsBotocores(settings: String, expected: String) async throws {
    try await CredentialServer.run { server in
      var home = try CredentialHome(["AWS_ENDPOINT_URL_STS": server.url])
      let script = try home.directory.write("script", "echo '\(Place.processDocument("ASIASCRIPT"))'")
      let token = try home.directory.write("token", "s3cr3t")
      let text = settings.replacing("SCRIPT", with: script).replacing("TOKEN", with: token)
      try home.directory.write(".aws/config", "[profile p]\n\(text)\n[profile base]\n\(PrecedenceTests.keys)")
      home.flags.profile = "p"
      #expect(try await home.credentials().accessKeyID == expected)
    }
  }

  @Test func keysOfTheCredentialsFileComeBeforeAProcessOfTheConfigFile() async throws {
    var home = try CredentialHome(
      config: "[profile p]\ncredential_process = /nonexistent", credentials: "[p]\n" + PrecedenceTests.keys)
    home.flags.profile = "p"
    #expect(try await home.credentials().accessKeyID == "AKIAP")
  }

  private static let keys = "aws_access_key_id = AKIAP\naws_secret_access_key = s3cr3t\n"
}
