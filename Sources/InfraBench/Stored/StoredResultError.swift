/// Why a file is no result that can be shown.
package struct StoredResultError: Error, Sendable, Equatable, CustomStringConvertible {
  package var description: String

  init(_ path: String, _ reason: String) {
    description = "'\(PlainText.line(path))' \(PlainText.line(reason))"
  }
}
