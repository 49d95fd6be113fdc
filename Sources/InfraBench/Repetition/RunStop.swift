/// Whether the runs after some that failed are still worth making.
package struct RunStop: Sendable {
  /// By side, whether the latest run failed; nil before the first.
  private var hasFailed: [RunPlan.Side?: Bool] = [:]

  package init() {}

  /// Takes a run's end; true if the others would fail alike: it failed, and its side's run before did too. Of a side's
  /// first run that is known only where nothing could be measured at all (not `isMeasured`): it gave no document.
  package mutating func isDue(after run: RunPlan.Run, _ exit: ToolExit, isMeasured: Bool) -> Bool {
    let hadFailed = hasFailed.updateValue(exit == .failed, forKey: run.side) ?? !isMeasured
    return exit == .failed && hadFailed
  }
}
