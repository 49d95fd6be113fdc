import Gateway
import Latency
import TestSupport
import Testing

@testable import EmbeddedGateway

/// Any order of events: drawn from seeds, checked against what must hold always.
@Suite struct ProductSessionWalkTests {
  private static let finish = #"{"type":"finish"}"#
  private static let ask = #"{"type":"ask_question","question":"?"}"#

  /// What the world knows of one session.
  private struct World {
    var session: ProductSession
    var now: Instant = 0
    var isConnected = false
    /// A task is wanted and has not come.
    var isWanted = false
    var hasTask = false
    /// The program has a message whose finish it has not said.
    var isProgramBusy = false
    var sent = 0
    var ended = 0
    var isOver = false

    mutating func perform(_ actions: [ProductSession.Action]) {
      for action in actions {
        #expect(!isOver, "\(action) after the end")
        switch action {
        case .send(let message):
          #expect(isConnected, "\(message) is sent to nobody")
          switch message {
          case .finish, .error(code: "TASK_RESTART_FAILED", _, _), .error(code: "TASK_DIED", _, _),
            .error(code: "QUEUE_FULL", _, _):
            ended += 1
          default: break
          }
        case .close: isConnected = false
        case .acquire:
          #expect(!isWanted && !hasTask)
          isWanted = true
        case .give(.message):
          #expect(hasTask && !isProgramBusy)
          isProgramBusy = true
        case .give: #expect(hasTask && isProgramBusy)
        case .release:
          #expect(hasTask || isWanted)
          (hasTask, isWanted, isProgramBusy) = (false, false, false)
        case .answered: break
        case .end: isOver = true
        }
      }
    }

    mutating func step(_ random: inout SeededRandom) {
      now += .nanoseconds(UInt64.random(in: 0...3, using: &random))
      switch Int.random(in: 0..<14, using: &random) {
      case 0...2 where isConnected:
        sent += 1
        perform(
          session.received(.message(Prompt(text: "m", conversationID: nil)), verdict: .accepted, now: now))
      case 3 where isConnected: perform(session.received(.abort, verdict: .accepted, now: now))
      case 4 where isConnected: perform(session.received(.answerQuestion("a"), verdict: .accepted, now: now))
      case 5 where isWanted:
        (isWanted, hasTask) = (false, true)
        perform(session.taskReady("t", .warm, InitBreakdown(), now: now))
      case 6 where isWanted:
        isWanted = false
        perform(session.taskFailed("no"))
      case 7 where hasTask:
        (hasTask, isProgramBusy) = (false, false)
        perform(session.taskLost(code: "TASK_DIED", message: "gone", now: now))
      case 8, 9: if hasTask { perform(session.taskSaid("text", goesOn: false, now: now)) }
      case 10 where isProgramBusy:
        isProgramBusy = false
        perform(session.taskSaid(ProductSessionWalkTests.finish, goesOn: false, now: now))
      case 11 where isProgramBusy: perform(session.taskSaid(ProductSessionWalkTests.ask, goesOn: false, now: now))
      case 12 where isConnected:
        isConnected = false
        perform(session.disconnected(isGoodbye: false, now: now))
      case 13 where !isConnected:
        isConnected = true
        perform(session.connected(now: now))
      default:
        if isConnected { session.heard(now: now) }
        perform(session.tick(now: now))
      }
    }

    /// Everybody does what is theirs, until nothing is left to do.
    mutating func settle() {
      guard !isOver else { return }
      if !isConnected {
        isConnected = true
        perform(session.connected(now: now))
      }
      for _ in 0..<100 where isWanted || isProgramBusy {
        if isWanted {
          (isWanted, hasTask) = (false, true)
          perform(session.taskReady("t", .warm, InitBreakdown(), now: now))
        }
        if isProgramBusy {
          isProgramBusy = false
          perform(session.taskSaid(ProductSessionWalkTests.finish, goesOn: false, now: now))
        }
      }
    }
  }

  @Test(arguments: 0..<300)
  func everyMessageEndsOnceWhateverHappens(seed: UInt64) {
    var random = SeededRandom(seed: seed)
    var profile = ProductProfile()
    // Time hardly passes: with these, some clients are cut and some sessions end.
    (profile.pingTimeout, profile.keepSessions) = (40, 60)
    profile.maximumQueuedMessages = 4
    var world = World(session: ProductSession(profile: profile, isFromREST: false, now: 0))
    for _ in 0..<300 where !world.isOver {
      world.step(&random)
      #expect(world.session.queue.count <= 4)
      #expect(world.session.isOver == world.isOver)
    }
    world.settle()
    // A session that is over owes nobody anything.
    if !world.isOver { #expect(world.ended == world.sent) }
    #expect(world.session.queue.isEmpty)
  }
}
