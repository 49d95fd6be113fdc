extension AWSCredentials {
  /// The same credentials, whose parts can be sent.
  ///
  /// A line break at the end of a variable is easily overlooked, and what it comes to (a header that cannot be sent, a
  /// signature that AWS refuses) says nothing about it.
  ///
  /// - Parameters:
  ///   - names: where key id, secret and token stand.
  ///   - hint: what to do about it.
  /// - Throws: ``AWSError`` `configuration` that names the part with a control character in it.
  func checked(named names: [String], hint: String?) throws(AWSError) -> AWSCredentials {
    for (name, value) in zip(names, [accessKeyID, secretAccessKey, sessionToken ?? ""]) {
      guard let control = value.unicodeScalars.first(where: { $0.value < 0x20 || $0.value == 0x7f }) else { continue }
      let isAtEnd = value.unicodeScalars.last.map { $0.value < 0x20 } ?? false
      let what = control == "\n" || control == "\r" ? "a line break" : "a control character"
      throw .configuration("\(name) has \(what) \(isAtEnd ? "at its end" : "in it")", hint: hint)
    }
    return self
  }
}
