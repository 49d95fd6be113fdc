/// Whether the runs after one that failed are still worth making.
package struct RunStop: Sendable {
  /// By side, whether the latest run gave no result.
  private var hasFailed: [RunPlan.Side?: Bool] = [:]

  package init() {}

  /// Takes a run's end; true if the others would fail alike: it failed, and its side's run before did, or there was none.
  package mutating func isDue(after run: RunPlan.Run, _ exit: ToolExit) -> Bool {
    let hadFailed = hasFailed.updateValue(exit == .failed, forKey: run.side) ?? true
    return exit == .failed && hadFailed
  }
}
