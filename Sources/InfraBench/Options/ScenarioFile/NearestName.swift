/// The right name for a wrong one.
enum NearestName {
  /// The candidate with the smallest edit distance, the first of several; capital letters count as small ones, `_` as `-`.
  static func of(_ word: String, in candidates: [String]) -> String? {
    let word = plain(word)
    return candidates.min { distance(word, plain($0)) < distance(word, plain($1)) }
  }

  /// The same where it is near enough to be meant: `word` is its beginning, of three letters at least, or no more than a third
  /// of the longer one's letters are to be edited. Else nil: a name that has nothing to do with what was written helps nobody.
  static func near(_ word: String, in candidates: [String]) -> String? {
    let written = plain(word)
    if written.count >= 3, let longer = candidates.first(where: { plain($0).hasPrefix(written) }) { return longer }
    guard let nearest = of(word, in: candidates) else { return nil }
    let longest = max(written.count, nearest.count)
    return 3 * distance(written, plain(nearest)) <= longest ? nearest : nil
  }

  /// How many insertions, deletions, changes and swaps of neighbours lead from one to the other, no place edited twice
  /// (optimal string alignment: https://en.wikipedia.org/wiki/Damerau–Levenshtein_distance).
  static func distance(_ first: String, _ second: String) -> Int {
    let left = Array(first.unicodeScalars)
    let right = Array(second.unicodeScalars)
    var beforeLast: [Int] = []
    var last = Array(0...right.count)
    for row in left.indices {
      var current = [row + 1]
      for column in right.indices {
        let change = last[column] + (left[row] == right[column] ? 0 : 1)
        var best = min(change, last[column + 1] + 1, current[column] + 1)
        if row > 0, column > 0, left[row] == right[column - 1], left[row - 1] == right[column] {
          best = min(best, beforeLast[column - 1] + 1)
        }
        current.append(best)
      }
      (beforeLast, last) = (last, current)
    }
    return last[right.count]
  }

  private static func plain(_ name: String) -> String {
    String(name.lowercased().map { $0 == "_" ? "-" : $0 })
  }
}
