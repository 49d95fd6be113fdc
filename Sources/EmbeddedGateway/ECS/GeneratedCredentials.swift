public import AWS

extension AWSCredentials {
  /// A random key pair in AWS's form (20 and 40 characters), good for one run of the gateway.
  public static func generated() -> AWSCredentials {
    var generator = SystemRandomNumberGenerator()
    func text(_ count: Int, of alphabet: String) -> String {
      String((0..<count).compactMap { _ in alphabet.randomElement(using: &generator) })
    }
    return AWSCredentials(
      accessKeyID: "AKIA" + text(16, of: "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"),
      secretAccessKey: text(40, of: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"),
      source: "the embedded gateway")
  }
}
