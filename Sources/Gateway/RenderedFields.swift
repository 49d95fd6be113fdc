import Synchronization

/// The `Cookie` fields that were rendered of a jar as it is. Shared by its copies; a changed jar gets another one.
///
/// A balancer's cookie goes with every call of a visit, and rendering it anew costs more than the rest of the request.
final class RenderedFields: Sendable {
  private struct Field {
    var path: String
    var isSecure: Bool
    var text: String?
    /// In s since 1970.
    var (from, until): (Double, Double)
  }

  private let known = Mutex<[Field]>([])

  /// A visit asks for a handful of paths; one with a user id in each is not worth keeping, and bounded all the same.
  private static let most = 8

  /// The field of a request for `path` at `now`, in s since 1970; `render` says how long it stays the same.
  func field(
    for path: String, isSecure: Bool, now: Double, _ render: () -> (text: String?, until: Double)
  ) -> String? {
    known.withLock { known in
      for field in known
      where field.path == path && field.isSecure == isSecure && now >= field.from && now < field.until {
        return field.text
      }
      let (text, until) = render()
      known.removeAll { $0.path == path && $0.isSecure == isSecure }
      if known.count >= Self.most { known.removeFirst() }
      known.append(Field(path: path, isSecure: isSecure, text: text, from: now, until: until))
      return text
    }
  }
}
