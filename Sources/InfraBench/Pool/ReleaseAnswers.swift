package import Latency
import Synchronization

/// What the answers to releases have shown: whether the gateway has such a call, and what became of the tasks. Pure.
///
/// A page that is missing (404 or 405 without the gateway's JSON) may be a balancer's whose gateways are just being
/// replaced. So it takes several of them, some time apart, to conclude that the gateway has no such call; and the first
/// answer that the call itself has given refutes that for good.
struct ReleaseAnswers: Sendable {
  /// How many missing pages it takes, and how far they are apart at least.
  static let enoughPages = 3
  static let pagesApart: Nanoseconds = .milliseconds(300)

  /// The gateway is the run's own and has no other node: a task that it doesn't know has ended.
  var isOfOneNode = false
  /// The call itself has answered, with success or with a refusal.
  private(set) var hasCall = false
  /// Missing pages that count, and when the last one was read.
  private var pages = 0
  private var lastPageAt: Instant = .distantPast
  /// Tasks whose release found no page.
  private var withoutPage: Set<String> = []
  /// Tasks whose release was refused.
  private var refused: Set<String> = []
  /// Tasks whose release was sent and got no answer: it may have been done.
  private var unanswered: Set<String> = []

  /// Whether the gateway has no such call, as far as is known.
  var isUnsupported: Bool { !hasCall && pages >= Self.enoughPages }
  /// Whether missing pages are all that is known.
  var mayBeUnsupported: Bool { !hasCall && pages > 0 }

  /// The release of `task` has succeeded.
  ///
  /// - Returns: whether this refutes missing pages that came before.
  mutating func succeeded(_ task: String) -> Bool {
    defer { forget(task) }
    return answered()
  }

  /// The call has refused the release of `task`.
  ///
  /// - Returns: whether the task has ended for sure, and whether this refutes missing pages that came before. A node of
  ///   several that knows no such task says nothing of the others, not even where a release before it got no answer.
  mutating func wasRefused(_ task: String) -> (hasEnded: Bool, refutesPages: Bool) {
    let refutes = answered()
    forget(task)
    if !isOfOneNode { refused.insert(task) }
    return (isOfOneNode, refutes)
  }

  /// The release of `task` found no page at `now`.
  ///
  /// - Returns: whether it is concluded just now that there is no such call.
  mutating func foundNoPage(_ task: String, at now: Instant) -> Bool {
    guard !hasCall else {
      // It is missing behind one node of several.
      refused.insert(task)
      return false
    }
    withoutPage.insert(task)
    guard pages == 0 || now >= lastPageAt + Self.pagesApart, !isUnsupported else { return false }
    pages += 1
    lastPageAt = now
    return isUnsupported
  }

  /// The release of `task` was sent and got no answer.
  mutating func gotNoAnswer(_ task: String) { unanswered.insert(task) }

  /// `task` is given out; true where a release of it may have been done, so that this is no duplicate.
  mutating func isGivenOut(_ task: String) -> Bool {
    guard !refused.isEmpty || !unanswered.isEmpty else { return false }
    // Both, always: the order of the operands must not keep one of them.
    let (wasRefused, wasUnanswered) = (refused.remove(task) != nil, unanswered.remove(task) != nil)
    return wasRefused || wasUnanswered
  }

  private mutating func answered() -> Bool {
    guard !hasCall else { return false }
    defer {
      hasCall = true
      refused.formUnion(withoutPage)
      withoutPage = []
    }
    return mayBeUnsupported
  }

  private mutating func forget(_ task: String) {
    guard !refused.isEmpty || !unanswered.isEmpty else { return }
    refused.remove(task)
    unanswered.remove(task)
  }
}

/// Releases that were refused or failed, counted, with the words of the first. Pure.
struct ReleaseFailures: Sendable {
  private(set) var count = 0
  private var first = ""

  /// Notes one; true for the first.
  mutating func add(_ words: String) -> Bool {
    if count == 0 { first = words }
    count += 1
    return count == 1
  }

  /// `3 releases were refused, the first: …`; nil where there were none.
  ///
  /// - Parameters:
  ///   - one: what is said of one: `was refused`.
  ///   - many: what is said of several.
  func note(_ one: String, _ many: String) -> String? {
    switch count {
    case 0: nil
    case 1: "1 release \(one): \(first)"
    default: "\(count) releases \(many), the first: \(first)"
    }
  }
}

/// The time that all releases at the end of a run have together. It begins with the first of them.
package final class ReleaseBudget: Sendable {
  private let bound: Nanoseconds
  private let deadline = Mutex<Instant?>(nil)

  package init(_ bound: Nanoseconds) {
    self.bound = bound
  }

  /// What is left at `now`.
  package func remaining(at now: Instant) -> Nanoseconds {
    deadline.withLock { deadline in
      let end = deadline ?? now + bound
      deadline = end
      return now.remaining(until: end)
    }
  }
}
