import FoundationEssentials

/// The commit of the checkout that a run was started in, read without running git.
enum GitCommit {
  /// `GITHUB_SHA` or `CI_COMMIT_SHA` in CI; else what HEAD of the working directory's repository names.
  static func current(environment: [String: String], directory: String = ".") -> String? {
    for name in ["GITHUB_SHA", "CI_COMMIT_SHA"] {
      if let commit = environment[name].flatMap(checked) { return commit }
    }
    guard let git = gitDirectory(from: directory), let head = line(git + "/HEAD") else { return nil }
    guard head.hasPrefix("ref: ") else { return checked(head) }
    let reference = String(head.dropFirst("ref: ".count))
    guard !reference.contains("..") else { return nil }
    // A work tree has a HEAD of its own and shares its references.
    let shared = line(git + "/commondir").map { $0.hasPrefix("/") ? $0 : "\(git)/\($0)" } ?? git
    if let commit = line(shared + "/" + reference) { return checked(commit) }
    return packed(shared + "/packed-refs", reference)
  }

  private static func gitDirectory(from directory: String) -> String? {
    var path = directory
    for _ in 0..<16 {
      let git = path + "/.git"
      var isDirectory = false
      if FileManager.default.fileExists(atPath: git, isDirectory: &isDirectory) {
        if isDirectory { return git }
        // A work tree or a submodule: a file that names the directory.
        guard let text = line(git), text.hasPrefix("gitdir: ") else { return nil }
        let named = String(text.dropFirst("gitdir: ".count))
        return named.hasPrefix("/") ? named : "\(path)/\(named)"
      }
      path += "/.."
    }
    return nil
  }

  private static func packed(_ path: String, _ reference: String) -> String? {
    guard let data = FileManager.default.contents(atPath: path) else { return nil }
    for entry in String(decoding: data, as: UTF8.self).split(separator: "\n") where entry.hasSuffix(" " + reference) {
      return checked(String(entry.prefix(while: { $0 != " " })))
    }
    return nil
  }

  private static func line(_ path: String) -> String? {
    guard let data = FileManager.default.contents(atPath: path) else { return nil }
    return String(decoding: data.prefix(4096), as: UTF8.self).split(separator: "\n").first.map(String.init)
  }

  private static func checked(_ text: String) -> String? {
    (40...64).contains(text.utf8.count) && text.allSatisfy { $0.isASCII && $0.isHexDigit } ? text : nil
  }
}
