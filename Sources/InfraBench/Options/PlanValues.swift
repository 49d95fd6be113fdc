import Latency
import LoadEngine
import PlanReports
import Planning
import TextFormatting

/// What the options of a plan came from, while they are read.
struct PlanReading {
  /// Whether `--preset lab` fills what is not given.
  let isLab: Bool
  var inputs: [PlanInput] = []
  var notes: [String] = []

  mutating func add(_ name: String, _ value: String, source: String) {
    inputs.append(PlanInput(name, value, source: source))
  }

  /// - Parameter isGiven: whether the user wrote it; else it is the preset's, or the default.
  mutating func add(_ name: String, _ value: String, given isGiven: Bool) {
    add(name, value, source: isGiven ? "given" : isLab ? "preset lab" : "default")
  }
}

extension OptionReader {
  /// A length by an option, else as it was measured, else the preset's or the usual one.
  mutating func length(
    _ option: String, _ written: String?, _ measured: MeasuredLength?, preset: String?, default usual: String,
    _ reading: inout PlanReading
  ) -> LengthDistribution {
    let name = String(option.dropFirst(2))
    if let written {
      reading.add(name, written, source: "given")
      return lengthText(option, written) ?? .constant(.zero)
    }
    if let measured {
      reading.add(name, measured.text, source: measured.source)
      return measured.lengths
    }
    let preset = reading.isLab ? preset : nil
    let source = preset == nil ? "default: a figure of the team's, not measured here" : "preset lab"
    reading.add(name, preset ?? usual, source: source)
    return LengthText.parse(preset ?? usual) ?? .constant(.zero)
  }

  /// A length as it is written; nil where it is wrong.
  mutating func lengthText(_ option: String, _ written: String) -> LengthDistribution? {
    if let length = LengthText.parse(written) { return length }
    problems.add(option, "'\(PlainText.line(written, limit: 60))' is no length: \(LengthText.rule)")
    return nil
  }

  /// One of the cases of an enumeration.
  mutating func planChoice<Choice: RawRepresentable & CaseIterable>(
    _ option: String, _ written: String?, default usual: Choice
  ) -> Choice where Choice.RawValue == String {
    Choice(rawValue: choice(option, written, of: Choice.allCases.map(\.rawValue), default: usual.rawValue)) ?? usual
  }

  mutating func replenish(_ written: String?) -> KeepingRules.Replenish {
    guard let written, written != "on-acquire" else { return .onAcquire }
    if written.hasPrefix("every:"), let length = DurationText.parse(String(written.dropFirst(6))),
      length >= .milliseconds(100)
    {
      return .every(length)
    }
    problems.add("--replenish", "'\(written.prefix(40))' is wrong: write on-acquire, or every:30s (100ms at least)")
    return .onAcquire
  }

  mutating func scaleOut(_ written: String?) -> Capacity.ScaleOut? {
    guard let written else { return nil }
    if written.hasPrefix("free<"), let number = PlainText.wholeNumber(String(written.dropFirst(5))),
      (1...10_000).contains(number)
    {
      return .freeBelow(number)
    }
    if written.hasPrefix("util>"), written.hasSuffix("%"),
      let percent = DurationText.parseDecimal(written.dropFirst(5).dropLast()), percent >= 1, percent < 100
    {
      return .utilisationAbove(percent / 100)
    }
    problems.add(
      "--scale-out", "'\(written.prefix(40))' is wrong: write free<2 (1 to 10000 slots) or util>70% (1% to 99%)")
    return nil
  }

  /// `1..50`, or a number that is both.
  mutating func instanceRange(_ written: String) -> (fewest: Int, most: Int?) {
    let ends = NumberList.ends(written)
    guard let ends, ends.lowerBound >= 1, ends.upperBound <= 100_000 else {
      problems.add(
        "--instances",
        "'\(written.prefix(40))' is wrong: write the fewest and the most, such as 1..50, from 1 to 100000")
      return (1, nil)
    }
    return (ends.lowerBound, ends.upperBound)
  }

  /// Numbers and ranges, each once, in the order in which they are written.
  mutating func numbers(_ option: String, _ written: String, most: Int) -> [Int] {
    guard let numbers = NumberList.parse(written, most: most, count: Self.mostCandidates) else {
      problems.add(
        option,
        "'\(written.prefix(40))' is wrong: write numbers and ranges from 0 to \(most), such as 0..10 or 2,4,8, at most "
          + "\(Self.mostCandidates) of them")
      return []
    }
    return numbers
  }

  /// `2/2,3/2`: pool sizes with their instance pools.
  mutating func candidatePairs(_ written: String, hasInstances: Bool) -> [Candidate] {
    var candidates: [Candidate] = []
    var wrong: [Substring] = []
    for part in written.split(separator: ",", omittingEmptySubsequences: false).prefix(Self.mostCandidates + 1) {
      let numbers = part.split(separator: "/", omittingEmptySubsequences: false).map {
        PlainText.wholeNumber(String($0)).flatMap { $0 <= 100_000 ? $0 : nil }
      }
      guard numbers.count == 2, let size = numbers[0], let pool = numbers[1] else {
        wrong.append(part)
        continue
      }
      let candidate = Candidate(poolSize: size, instancePool: pool)
      if !candidates.contains(candidate) { candidates.append(candidate) }
    }
    if !wrong.isEmpty || candidates.count > Self.mostCandidates {
      problems.add(
        "--candidates",
        Self.list(wrong.isEmpty ? [Substring(written)] : wrong)
          + " wrong: write a pool size and an instance pool, such as 3/2, up to 100000 each and at most 1000 pairs")
      return []
    }
    if !hasInstances, candidates.contains(where: { $0.instancePool > 0 }) {
      problems.add("--candidates", "instance pools are simulated where --slots is given")
    }
    return candidates
  }

  /// The first of the parts of a list that are wrong, as the beginning of a sentence: `'a' and 'b' are`.
  private static func list(_ wrong: [Substring]) -> String {
    let more = wrong.count > 10 ? ["\(wrong.count - 10) more"] : []
    return PlainText.list(wrong.prefix(10).map { "'\($0.prefix(40))'" } + more, "and")
      + (wrong.count == 1 ? " is" : " are")
  }

  /// `0h:1/m,9h:5/m,18h:1/m`.
  mutating func profile(_ written: String) -> DailyProfile? {
    var steps: [DailyProfile.Step] = []
    var wrong: [Substring] = []
    for part in written.split(separator: ",", omittingEmptySubsequences: false).prefix(1441) {
      let sides = part.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
      guard sides.count == 2, let start = DurationText.parse(sides[0]), let rate = RateText.parse(sides[1]) else {
        wrong.append(part)
        continue
      }
      steps.append(DailyProfile.Step(start: start, perSecond: rate.perSecond))
    }
    if !wrong.isEmpty {
      problems.add("--arrival-profile", Self.list(wrong) + " no time of day with a rate: write each as 9h:5/m")
      return nil
    }
    if steps.count <= 1440, let profile = DailyProfile(steps) { return profile }
    problems.add(
      "--arrival-profile",
      "'\(written.prefix(60))' is no profile: begin at 0h, go on in growing order to less than 24h, with a rate above 0 "
        + "somewhere, in at most 1440 steps")
    return nil
  }
}

/// Lengths as users write them: `260ms`, `const:10s`, `exp:30m`, `lognormal:5.4s,8.6s`.
enum LengthText {
  static let rule = "write 260ms, const:10s, exp:30m or lognormal:5.4s,8.6s (P50 and P99)"

  /// Nil for any other text. An exponential length needs a mean above 0, and P99 is no less than P50.
  static func parse(_ text: String) -> LengthDistribution? {
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 2 else { return DurationText.parse(text).map { .constant($0) } }
    switch parts[0] {
    case "const": return DurationText.parse(parts[1]).map { .constant($0) }
    case "exp":
      guard let mean = DurationText.parse(parts[1]), mean > .zero else { return nil }
      return .exponential(mean: mean)
    case "lognormal":
      let ends = parts[1].split(separator: ",", omittingEmptySubsequences: false).map { DurationText.parse(String($0)) }
      guard ends.count == 2, let p50 = ends[0], let p99 = ends[1], let shape = LogNormal(p50: p50, p99: p99) else {
        return nil
      }
      return .logNormal(shape)
    default: return nil
    }
  }
}

/// Whole numbers as users write them: `0..10`, `2,4,8`, `1,4..6`.
enum NumberList {
  /// Each number once, in the order in which they are written; nil for any other text, and for more than `count`.
  static func parse(_ text: String, most: Int, count: Int) -> [Int]? {
    var numbers: [Int] = []
    var seen: Set<Int> = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      guard let ends = ends(String(part)), ends.upperBound <= most, ends.count + numbers.count <= count else {
        return nil
      }
      numbers += ends.filter { seen.insert($0).inserted }
    }
    return numbers
  }

  /// `1..50`, or a number that is both ends; nil for any other text.
  static func ends(_ text: String) -> ClosedRange<Int>? {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    if parts.count == 1 { return PlainText.wholeNumber(text).map { $0...$0 } }
    guard parts.count == 3, parts[1].isEmpty, let low = PlainText.wholeNumber(parts[0]),
      let high = PlainText.wholeNumber(parts[2]), low <= high
    else { return nil }
    return low...high
  }
}
