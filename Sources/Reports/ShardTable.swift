import Results
import TextFormatting

/// The shards of one load, a row each.
struct ShardTable {
  private let fleet: ResultDocument.Fleet

  /// Nil for what one generator did.
  init?(_ document: ResultDocument) {
    guard let fleet = document.fleet else { return nil }
    self.fleet = fleet
  }

  var table: Table {
    var table = Table([
      "shard", "host", "iterations", "errors", "lateness P99", "CPU (cores)", "backlog", "first start", "clock offset",
      "",
    ])
    for part in fleet.shards {
      table.add([
        "\(part.index)", part.hostname, "\(part.iterations)", "\(part.errors)", Self.time(part.scheduleLatenessP99Ms),
        NumberText.decimals(part.cpuUtilisation, 2), "\(part.backlogMax)",
        part.firstStartLatenessMs.map { "+" + Self.time($0) } ?? "–", Self.clock(part.clock),
        part.saturated ? "saturated" : "",
      ])
    }
    for index in fleet.missing { table.add(["\(index)", "missing"] + Array(repeating: "–", count: 7) + [""]) }
    return table
  }

  /// Which shard this is, or how far the first starts of all lay apart; nil for a load that was not divided.
  static func facts(of document: ResultDocument) -> String? {
    if let shard = document.shard { return "shard \(shard.index) of \(shard.of), begin at \(shard.startAt)" }
    guard let fleet = document.fleet else { return nil }
    let spread = fleet.startSpreadMs.map { ", first starts within \(time($0))" } ?? ""
    return "\(fleet.shards.count) of \(fleet.of) shards, begin at \(fleet.startAt)\(spread)"
  }

  private static func time(_ milliseconds: Double?) -> String {
    milliseconds.map { NumberText.time(milliseconds: $0) } ?? "–"
  }

  /// `+0.120ms ± 0.400ms`
  private static func clock(_ clock: ResultDocument.ClockError?) -> String {
    guard let clock else { return "unknown" }
    let sign = clock.offsetMs < 0 ? "-" : "+"
    let offset = clock.source == .folder ? "\(sign)\(time(abs(clock.offsetMs))) " : ""
    return "\(offset)± \(time(clock.errorMs)) (\(clock.source.rawValue))"
  }
}
