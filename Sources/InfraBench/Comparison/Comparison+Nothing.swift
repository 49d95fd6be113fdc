extension Comparison {
  /// Why there is nothing to compare, in sentences; nil where there is something.
  package var reasonsForNothing: [String]? {
    guard groups.isEmpty else { return nil }
    var reasons: [String] = []
    for (side, name, runs) in [(Side.old, oldName, runsOld), (.new, newName, runsNew)] where runs == 0 {
      reasons.append("there is no run to be compared in \(side.rawValue), \(name)")
    }
    if reasons.isEmpty {
      let tools = Set(onlyOnOneSide.filter { $0.side == .old }.map(\.key.tool))
        .intersection(onlyOnOneSide.filter { $0.side == .new }.map(\.key.tool))
      reasons.append(
        !settings.only.isEmpty
          ? "nothing that --metric names is in runs of both sides"
          : onlyOnOneSide.isEmpty
            ? "no metric or counter is in runs of both sides"
            : tools.isEmpty
              ? "OLD and NEW have no tool in common" : "OLD and NEW have no tool under the same load in common")
    }
    reasons += nearMisses
    reasons += ComparisonRemarks.excluded(excluded).sentences.map { "left out: \($0)" }
    return reasons
  }
}
