package import Gateway

/// The profiles that the suite has of its own. They are files like any other's, and in the programs.
package enum BuiltInProfiles {
  /// The text of each, by name, in the order of messages.
  private static let files: [(name: String, bytes: [UInt8])] = [
    ("embedded", PackageResources.embedded_json), ("lab", PackageResources.lab_json),
    ("product", PackageResources.product_json),
  ]

  /// Their names.
  package static let names = files.map(\.name)

  /// The text of the one called `name`; nil where there is none.
  package static func text(of name: String) -> String? {
    files.first { $0.name == name }.map { String(decoding: $0.bytes, as: UTF8.self) }
  }

  /// The one called `name`; nil where there is none.
  package static func profile(_ name: String) -> GatewayProfile? { profiles[name] }

  /// The suite's own gateway's; what is spoken where nothing else is found.
  package static var embedded: GatewayProfile { profiles["embedded"] ?? GatewayProfile(name: "embedded") }

  /// That of a gateway which has the same calls, and no user's side.
  package static var withoutUsersSide: GatewayProfile {
    var profile = embedded
    profile.session = nil
    return profiles.values.first { other in
      profile.name = other.name
      return other == profile
    } ?? profile
  }

  // Each is read once; a test reads them all and fails on any mistake in them.
  private static let profiles = Dictionary(
    uniqueKeysWithValues: files.compactMap { name, bytes in (try? ProfileFile.read(bytes)).map { (name, $0) } })
}
