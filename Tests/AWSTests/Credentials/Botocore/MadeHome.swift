import Foundation
import TestSupport

@testable import AWS

/// A home that is made for a test: what its shared files say, and what the environment adds.
struct MadeHome: Sendable {
  var name: String
  var config = ""
  var credentials = ""
  /// In the texts of all parts, `HOME` stands for the home and `SERVER` for the URL of a server of credentials.
  var environment: [String: String] = [:]
  /// `--profile`.
  var profile: String?
  /// Beside the shared files.
  var files: [String: String] = [:]
  /// The encoding of both shared files.
  var encoding = String.Encoding.utf8

  var isGenerated: Bool { name.hasPrefix("generated ") }

  init(
    _ name: String, config: String = "", credentials: String = "", _ environment: [String: String] = [:],
    profile: String? = nil, files: [String: String] = [:], encoding: String.Encoding = .utf8
  ) {
    self.name = name
    self.config = config
    self.credentials = credentials
    self.environment = environment
    self.profile = profile
    self.files = files
    self.encoding = encoding
  }

  /// Two lines of a key pair.
  static func keys(_ id: String) -> String { "aws_access_key_id = \(id)\naws_secret_access_key = s\n" }

  func make(_ server: String) throws -> CredentialHome {
    var home = try CredentialHome()
    func filled(_ text: String) -> String {
      text.replacing("SERVER", with: server).replacing("HOME", with: home.directory.path)
    }
    for (name, text) in [(".aws/config", config), (".aws/credentials", credentials)] {
      let path = try home.directory.write(name, "")
      try (filled(text).data(using: encoding) ?? Data()).write(to: URL(filePath: path))
    }
    for (name, text) in files { try home.directory.write(name, filled(text)) }
    home.environment.merge(environment.mapValues(filled)) { $1 }
    home.environment["AWS_ENDPOINT_URL_STS"] = server
    home.flags.region = nil
    home.flags.profile = profile
    return home
  }
}
