/// Which options a command line gives, by the parser's own rules, before the parser has seen it.
struct CommandLineWords {
  /// Long names, without dashes and values.
  private(set) var given: Set<String> = []
  /// The values of `--scenario`.
  private(set) var scenarioFiles: [String] = []

  /// Reads `--name value`, `--name=value` and `--flag` up to `--`. What begins with a dash is never a value of the word before.
  init(_ arguments: [String]) {
    var rest = arguments[...]
    while let word = rest.popFirst(), word != "--" {
      guard word.hasPrefix("--") else { continue }
      let parts = word.dropFirst(2).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      given.insert(String(parts[0]))
      guard parts[0] == "scenario" else { continue }
      if parts.count == 2, !parts[1].isEmpty {
        scenarioFiles.append(String(parts[1]))
      } else if let next = rest.first, next.first != "-" {
        scenarioFiles.append(next)
      }
    }
  }
}
