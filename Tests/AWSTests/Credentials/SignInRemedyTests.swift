import Foundation
import Glibc
import TestSupport
import Testing
@testable import AWS

/// What is printed for a profile that needs a sign-in, followed to the letter by somebody who reads nothing else.
@Suite struct SignInRemedyTests {
  /// The printed remedy.
  private struct Remedy {
    var login: String
    var line: String
    var section: String
    var file: String

    init(_ error: AWSError) throws {
      let hint = try #require(error.hint)
      let match = try #require(
        hint.wholeMatch(
          of:
            /sign in with '(aws .*)' \(AWS CLI 2.9 or later\), and add the line '(.*)' to the section (\[.*\]) of (.*)/),
        "\(hint)")
      (login, line, section, file) = (
        String(match.1), String(match.2), String(match.3), String(match.4)
      )
    }
  }

  /// Stands in for the AWS CLI, which needs a browser: it signs a profile in, and exports the keys of one that is.
  private static let cli = #"""
    #!/bin/sh
    case "$1 $2" in
    "sso login" | "login --profile")
      while [ "$1" != --profile ]; do shift; done
      echo "$2" > "$HOME/signed-in" ;;
    "configure export-credentials")
      [ "$3 $5 $6" = "--profile --format process" ] || exit 64
      [ "$4" = "$(cat "$HOME/signed-in")" ] || { echo "sign in first" >&2; exit 255; }
      echo '{"Version":1,"AccessKeyId":"ASIASSO","SecretAccessKey":"s3cr3t","SessionToken":"s3cr3t"}' ;;
    *) exit 64 ;;
    esac
    """#

  private static let settings = "sso_session = corp\nsso_account_id = 1\nsso_role_name = r\nregion = eu-north-1\n"

  private static let cases: [(config: String, profile: String?, key: String)] = [
    ("[profile p]\n" + settings, "p", "ASIASSO"),
    ("[profile 'a b']\n" + settings, "a b", "ASIASSO"),
    ("[profile p]\nlogin_session = arn\nregion = eu-north-1\n", "p", "ASIASSO"),
    ("[default]\n" + settings + "[profile p]\nregion = x\n", nil, "ASIASSO"),
    // Keys of the profile itself are not who signs in.
    ("[profile p]\n" + settings + "aws_access_key_id = OLD\naws_secret_access_key = s3cr3t\n", "p", "ASIASSO"),
    (
      "[profile p]\nrole_arn = arn:aws:iam::1:role/own\nsource_profile = base\nregion = eu-north-1\n[profile base]\n"
        + settings, "p", "ASIAOWN"
    ),
  ]

  /// In a process of its own, as `PATH` belongs to the whole process.
  @Test func itWorks() async {
    await #expect(processExitsWith: .success) {
      let programs = try ScratchDirectory()
      let cli = try programs.write("aws", Self.cli)
      try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: cli)
      setenv("PATH", "\(programs.path):/usr/bin:/bin", 1)
      for item in Self.cases { try await Self.follow(item.config, item.profile, key: item.key) }
    }
  }

  private static func follow(_ config: String, _ profile: String?, key: String) async throws {
    try await CredentialServer.run { server in
      var home = try CredentialHome(config: config, ["AWS_ENDPOINT_URL_STS": server.url])
      home.environment["PATH"] = ProcessInfo.processInfo.environment["PATH"]
      home.flags = .init(profile: profile)
      let error = try #require(await awsError { _ = try await home.credentials() }, "\(config)")
      let remedy = try Remedy(error)

      let login = Process()
      login.executableURL = URL(filePath: "/bin/sh")
      login.arguments = ["-c", remedy.login]
      login.environment = home.environment
      try login.run()
      login.waitUntilExit()
      #expect(login.terminationStatus == 0, "\(remedy)")
      let text = try #require(AWSConfiguration.readText(ofFile: remedy.file))
      // As it stands in the file, or with the other quotes.
      let section = try #require(
        [remedy.section, remedy.section.replacing("\"", with: "'")].first { text.contains($0 + "\n") }, "\(remedy)")
      try text.replacing(section + "\n", with: "\(section)\n\(remedy.line)\n")
        .write(toFile: remedy.file, atomically: false, encoding: .utf8)

      let configuration = try home.configuration()
      #expect(configuration.region == "eu-north-1", "\(config)")
      #expect(try await configuration.credentials.credentials(replacing: nil).accessKeyID == key, "\(config)")
    }
  }
}
