/// A role of a profile that thousands of users hold. The role itself is some hundred bytes long, and a suspended function
/// keeps each copy that it may need.
package final class SharedRole<Role: Sendable>: Sendable {
  package let role: Role

  package init(_ role: Role) {
    self.role = role
  }
}
