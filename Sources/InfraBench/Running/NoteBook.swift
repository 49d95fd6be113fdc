import Synchronization

/// What a reader of the result must know, each said once, in the order of its first appearance.
package final class NoteBook: Sendable {
  private let notes = Mutex<[String]>([])
  private static let limit = 100

  package init() {}

  /// Adds a note unless it is there already; true if it is new.
  @discardableResult
  package func add(_ note: String) -> Bool {
    notes.withLock { notes in
      guard notes.count < Self.limit, !notes.contains(note) else { return false }
      notes.append(note)
      return true
    }
  }

  /// All notes.
  package var all: [String] { notes.withLock { $0 } }
}
