import FoundationEssentials
import Glibc

/// One tool's directory for temporary files.
///
/// A tool removes its own, but not when it is killed, nor those of a gateway that is. Which of the files in everybody's directory are
/// theirs nobody could tell: so each tool gets a directory of its own, below it.
struct TemporaryFiles: Sendable {
  let path: String

  /// Makes it in `TMPDIR`, else in `/tmp`; nil where it can't be made, which the tools will say in their own words.
  init?(environment: [String: String]) {
    let parent = environment["TMPDIR"].flatMap { $0.isEmpty ? nil : $0 } ?? "/tmp"
    // mkdtemp replaces the six letters by what makes the name unique.
    var template = Array("\(parent)/infrabench-suite-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { return nil }
    // The user ids of an isolation test must be able to pass through; nobody else sees names.
    chmod(template, 0o711)
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// Removes it; false where something is in it.
  func removeIfEmpty() -> Bool { rmdir(path) == 0 || errno == ENOENT }

  /// Removes it with all that is in it. A gateway that is still ending may be making something there: then it takes more than one
  /// try.
  func remove() async {
    for _ in 0..<50 {
      try? FileManager.default.removeItem(atPath: path)
      guard FileManager.default.fileExists(atPath: path) else { return }
      try? await Task.sleep(for: .milliseconds(20))
    }
  }
}
