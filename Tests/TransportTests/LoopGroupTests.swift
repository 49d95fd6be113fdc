import Latency
import Testing

@testable import Transport

/// Loops that are used again.
@Suite struct LoopGroupTests {
  private struct Failure: Error {}

  /// No other test borrows so many.
  private static let threads = 5

  @Test func whatOneGaveBackTheNextGetsAndNobodyElseMeanwhile() async throws {
    let first = await LoopGroup.lend(threads: Self.threads) { outer in
      #expect(outer.executors.count == Self.threads)
      await LoopGroup.lend(threads: Self.threads) { inner in
        #expect(!inner.executors.contains { loop in outer.executors.contains { $0 === loop } })
      }
      return outer
    }
    await #expect(throws: Failure.self) {
      try await LoopGroup.lend(threads: Self.threads) { (group) async throws(Failure) in
        #expect(group.executors.first === first.executors.first)
        throw Failure()
      }
    }
    await LoopGroup.lend(threads: Self.threads) { group in
      #expect(group.executors.first === first.executors.first)
      // Its loops still run.
      await group.executors[0].sleep(for: 1)
    }
    await LoopGroup.lend(threads: Self.threads + 1) { group in
      #expect(group.executors.count == Self.threads + 1)
    }
  }
}
