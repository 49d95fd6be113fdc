/// The order in which people read names: `cycle_2` before `cycle_10`.
enum Natural {
  static func precedes(_ left: String, _ right: String) -> Bool {
    let (leftStem, leftNumber) = split(left)
    let (rightStem, rightNumber) = split(right)
    guard leftStem == rightStem, let leftNumber, let rightNumber, leftNumber != rightNumber else { return left < right }
    return leftNumber < rightNumber
  }

  private static func split(_ name: String) -> (stem: Substring, number: Int?) {
    let digits = name.reversed().prefix { $0.isASCII && $0.isNumber }.count
    return (name.dropLast(digits), Int(name.suffix(digits)))
  }
}
