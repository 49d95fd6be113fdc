import LoadEngine

extension ErrorTally {
  /// The most frequent kind of failure, and its first example, on one line; nil without a failure.
  var commonestWords: String? {
    var commonest: Entry?
    // Of equally frequent ones the first that appeared.
    for entry in entries where entry.count > commonest?.count ?? 0 { commonest = entry }
    guard let commonest else { return nil }
    let isControl = { (scalar: Unicode.Scalar) in scalar.properties.generalCategory == .control }
    let example = String(String.UnicodeScalarView(commonest.example.unicodeScalars.map { isControl($0) ? " " : $0 }))
    let share = entries.count == 1 ? "\(total)" : "\(commonest.count) of \(total)"
    return "the commonest error (\(share)): \(commonest.kind)" + (example.isEmpty ? "" : ": \(example)")
  }
}
