import Foundation
import Testing

/// Texts that were read by a person once and may only change on purpose: `INFRABENCH_UPDATE_GOLDEN=1` writes them anew.
enum Golden {
  static func expect(_ text: String, _ name: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
    let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Golden/\(name)")
    if ProcessInfo.processInfo.environment["INFRABENCH_UPDATE_GOLDEN"] == "1" {
      try Data(text.utf8).write(to: file)
      return
    }
    let expected = String(decoding: try Data(contentsOf: file), as: UTF8.self)
    guard text != expected else { return }
    let lines = zip(text.split(separator: "\n"), expected.split(separator: "\n")).first { $0 != $1 }
    let (found, wanted) = lines.map { (String($0.0), String($0.1)) } ?? ("its end", "its end")
    Issue.record(
      "\(name) differs, first at '\(found)', not '\(wanted)'. If that is meant: INFRABENCH_UPDATE_GOLDEN=1",
      sourceLocation: sourceLocation)
  }
}
