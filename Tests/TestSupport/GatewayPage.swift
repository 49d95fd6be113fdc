import Foundation

/// The examples of docs/gateways.md.
public enum GatewayPage {
  /// What stands in the page's blocks of `language`, in their order.
  public static func blocks(_ language: String) throws -> [String] {
    let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
      .appending(path: "docs/gateways.md")
    var blocks: [String] = []
    var lines: [Substring]?
    for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n", omittingEmptySubsequences: false) {
      if let open = lines, line == "```" {
        blocks.append(open.joined(separator: "\n"))
        lines = nil
      } else if lines != nil {
        lines?.append(line)
      } else if line == "```\(language)" {
        lines = []
      }
    }
    return blocks
  }
}
