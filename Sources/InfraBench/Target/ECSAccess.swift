/// Where an ECS endpoint is, and what opens it.
package struct ECSAccess: Sendable {
  /// A key pair. Its secret is never printed or stored.
  package struct Key: Sendable, CustomStringConvertible {
    package var id: String
    package var secret: String

    /// A fresh pair for a gateway that lives as long as this process.
    package static func random() -> Key {
      let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
      func text(_ length: Int) -> String {
        String((0..<length).map { _ in letters[Int.random(in: 0..<letters.count)] })
      }
      return Key(id: "AKIA" + text(16), secret: text(40))
    }

    /// The id alone.
    package var description: String { id }
  }

  package var endpointURL: String
  package var key: Key
  package var cluster: String?
  package var service: String?
  /// What RunTask takes there.
  package var taskDefinition: String?
  package var region: String?
}
