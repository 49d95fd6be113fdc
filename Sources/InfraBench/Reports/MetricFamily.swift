/// One metric of an OpenMetrics exposition with its samples, as text.
/// https://prometheus.io/docs/specs/om/open_metrics_spec/, sections "Metric" and "Text format".
struct MetricFamily {
  enum Kind: String {
    case counter, gauge, histogram
  }

  /// Without a counter's `_total`; ends with the unit.
  var name: String
  var kind: Kind
  /// `seconds`, `ratio`; nil for a plain number.
  var unit: String?
  /// A sentence of our own words: nothing in it needs escaping.
  var help: String
  private var samples: [(suffix: String, labels: [(name: String, value: String)], value: String)] = []

  init(_ name: String, _ kind: Kind, unit: String? = nil, help: String) {
    self.name = unit.map { "\(name)_\($0)" } ?? name
    self.kind = kind
    self.unit = unit
    self.help = help
  }

  mutating func add(_ suffix: String = "", _ labels: [(name: String, value: String)], _ value: UInt64) {
    samples.append((suffix, labels, "\(value)"))
  }

  mutating func add(_ suffix: String = "", _ labels: [(name: String, value: String)], _ value: Double) {
    samples.append((suffix, labels, Self.number(value)))
  }

  /// Lines, each with its end; none without samples.
  var text: String {
    guard !samples.isEmpty else { return "" }
    let unitLine = unit.map { "# UNIT \(name) \($0)\n" } ?? ""
    let lines = samples.map { sample in
      let labels = sample.labels.map { "\($0.name)=\"\(Self.escape($0.value))\"" }.joined(separator: ",")
      return "\(name)\(sample.suffix){\(labels)} \(sample.value)\n"
    }
    return "# TYPE \(name) \(kind.rawValue)\n\(unitLine)# HELP \(name) \(help)\n\(lines.joined())"
  }

  /// The shortest decimal that reads back, which is the canonical form of `le` too (section "Canonical numbers").
  static func number(_ value: Double) -> String {
    guard value.isFinite else { return value.isNaN ? "NaN" : value < 0 ? "-Inf" : "+Inf" }
    return "\(value)"
  }

  /// Section "Label": backslash, quotation mark and line feed are escaped. Other control characters, which readers split
  /// lines at or refuse, become blanks.
  static func escape(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\\": result += "\\\\"
      case "\"": result += "\\\""
      case "\n": result += "\\n"
      default: result += PlainText.line(String(scalar))
      }
    }
    return result
  }
}
