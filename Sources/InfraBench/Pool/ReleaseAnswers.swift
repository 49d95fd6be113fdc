import Gateway
package import Latency
import Synchronization

/// Concludes from the answers to releases whether the gateway has a release call, and what became of the tasks. Pure.
///
/// Problem: a missing page (404 or 405 without the gateway's JSON) may come from a balancer while its gateways are
/// being replaced. So several missing pages, some time apart, are needed to conclude that the gateway has no release
/// call; and one answer of the call itself refutes that for good.
struct ReleaseAnswers: Sendable {
  /// How many missing pages are needed, and the shortest time between two of them.
  static let enoughPages = 3
  static let pagesApart: Nanoseconds = .milliseconds(300)

  /// The gateway belongs to this run and has no other node: a task that it does not know has ended.
  var isOfOneNode = false
  /// The release call itself has answered, with success or with a refusal.
  private(set) var hasCall = false
  /// The missing pages that count, and when the last one was read.
  private var pages = 0
  private var lastPageAt: Instant = .distantPast
  /// Tasks whose release found no page.
  private var withoutPage: Set<TaskID> = []
  /// Tasks whose release was refused.
  private var refused: Set<TaskID> = []
  /// Tasks whose release was sent and got no answer: the gateway may have released them.
  private var unanswered: Set<TaskID> = []

  /// Whether the gateway is taken to have no release call.
  var isUnsupported: Bool { !hasCall && pages >= Self.enoughPages }
  /// Whether there were missing pages, and no answer of the call itself.
  var mayBeUnsupported: Bool { !hasCall && pages > 0 }

  /// The release of `task` has succeeded.
  ///
  /// - Returns: whether this refutes missing pages that came before.
  mutating func succeeded(_ task: TaskID) -> Bool {
    defer { forget(task) }
    return answered()
  }

  /// The call has refused the release of `task`.
  ///
  /// - Returns: whether the task has ended for sure, and whether this refutes missing pages that came before. One of
  ///   several nodes may refuse a task that another node still has, even where an earlier release of it got no answer.
  mutating func wasRefused(_ task: TaskID) -> (hasEnded: Bool, refutesPages: Bool) {
    let refutes = answered()
    forget(task)
    if !isOfOneNode { refused.insert(task) }
    return (isOfOneNode, refutes)
  }

  /// The release of `task` found no page at `now`.
  ///
  /// - Returns: whether this page was the last one needed to conclude that there is no release call.
  mutating func foundNoPage(_ task: TaskID, at now: Instant) -> Bool {
    guard !hasCall else {
      // Another node has the call, so that the page is missing at one of several nodes.
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
  mutating func gotNoAnswer(_ task: TaskID) { unanswered.insert(task) }

  /// The gateway has given out `task`; true where an earlier release of it may have been done, so that this is no
  /// duplicate.
  mutating func isGivenOut(_ task: TaskID) -> Bool {
    guard !refused.isEmpty || !unanswered.isEmpty else { return false }
    // Both removals must run: in one `||` expression the first could skip the second.
    let (wasRefused, wasUnanswered) = (refused.remove(task) != nil, unanswered.remove(task) != nil)
    return wasRefused || wasUnanswered
  }

  /// Whether all that is to be known of releases is known: the gateway has the call, and no task's release is in doubt.
  var isSettled: Bool { hasCall && refused.isEmpty && unanswered.isEmpty }

  private mutating func answered() -> Bool {
    guard !hasCall else { return false }
    defer {
      hasCall = true
      refused.formUnion(withoutPage)
      withoutPage = []
    }
    return mayBeUnsupported
  }

  private mutating func forget(_ task: TaskID) {
    guard !refused.isEmpty || !unanswered.isEmpty else { return }
    refused.remove(task)
    unanswered.remove(task)
  }
}

/// Counts releases that were refused or failed, and keeps the message of the first. Pure.
struct ReleaseFailures: Sendable {
  private(set) var count = 0
  private var first = ""

  /// Counts one; true for the first.
  mutating func add(_ words: String) -> Bool {
    if count == 0 { first = words }
    count += 1
    return count == 1
  }

  /// `3 releases were refused, the first: …`; nil where there were none.
  ///
  /// - Parameters:
  ///   - one: the words for a single release: `was refused`.
  ///   - many: the words for several.
  func note(_ one: String, _ many: String) -> String? {
    switch count {
    case 0: nil
    case 1: "1 release \(one): \(first)"
    default: "\(count) releases \(many), the first: \(first)"
    }
  }
}

/// The time that all releases at the end of a run share. It begins with the first of them.
package final class ReleaseBudget: Sendable {
  private let bound: Nanoseconds
  private let deadline = Mutex<Instant?>(nil)

  package init(_ bound: Nanoseconds) {
    self.bound = bound
  }

  /// The time that is left at `now`.
  package func remaining(at now: Instant) -> Nanoseconds {
    deadline.withLock { deadline in
      let end = deadline ?? now + bound
      deadline = end
      return now.remaining(until: end)
    }
  }
}
