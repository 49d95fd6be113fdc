extension OptionReader {
  /// Checks the name of something in ECS; `kind`, as in `cluster`, is what an ARN instead of it must be of.
  ///
  /// Names: CreateCluster, CreateService and RegisterTaskDefinition of the Amazon ECS API Reference.
  mutating func checkName(_ written: (text: String, source: String)?, orARNOf kind: String? = nil) {
    guard let (text, source) = written else { return }
    if text.isEmpty { return problems.add(source, "it is empty: write a name") }
    if let kind, text.hasPrefix("arn:") {
      if Self.isARN(text, of: kind) { return }
      return problems.add(
        source,
        "'\(text.prefix(200))' is no ARN of a \(kind): write arn:aws:ecs:REGION:ACCOUNT:\(kind)/NAME, or the name alone"
      )
    }
    guard (1...255).contains(text.utf8.count), text.utf8.allSatisfy(Self.isNamePart) else {
      return problems.add(
        source,
        "'\(text.prefix(80))' is no name: write letters, digits, '-' and '_', at most 255"
          + (kind == nil ? "" : ", or an ARN"))
    }
  }

  /// Checks `startedBy`, which may be any text of 1 to 128 characters (RunTask in the Amazon ECS API Reference).
  mutating func checkMark(_ option: String, _ written: String?) {
    guard let written, !(1...128).contains(written.count) else { return }
    problems.add(option, "\(written.isEmpty ? "it is empty" : "it is too long"): write 1 to 128 characters")
  }

  private static func isARN(_ text: String, of kind: String) -> Bool {
    let parts = text.split(separator: ":", maxSplits: 5, omittingEmptySubsequences: false)
    guard parts.count == 6, parts[1].hasPrefix("aws"), parts[2] == "ecs", parts[5].hasPrefix("\(kind)/") else {
      return false
    }
    let names = parts[5].split(separator: "/", omittingEmptySubsequences: false).dropFirst()
    return text.utf8.count <= 1_000
      && (parts[1...4] + names).allSatisfy { !$0.isEmpty && $0.utf8.allSatisfy(isNamePart) }
  }

  private static func isNamePart(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"): true
    default: false
    }
  }
}
