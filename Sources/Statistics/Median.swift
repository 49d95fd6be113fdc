/// The middle of some values, or halfway between the two middle ones; 0 where there are none.
public func median(of values: [Double]) -> Double { median(ofSorted: values.sorted()) }

/// The middle of sorted values, or halfway between the two middle ones; 0 where there are none.
func median(ofSorted values: [Double]) -> Double {
  guard !values.isEmpty else { return 0 }
  return halfway(values[(values.count - 1) / 2], values[values.count / 2])
}

/// The mean of two numbers. It cannot overflow, and lies between them.
func halfway(_ low: Double, _ high: Double) -> Double {
  low == high ? low : min(max(low / 2 + high / 2, low), high)
}

/// All differences new − old of two samples, in order. They are not stored: 500 by 500 runs have 250,000.
///
/// Rounding keeps the order, so for every x one walk over both sorted samples finds the pairs whose difference is x or
/// less. Bisection over the numbers then finds the k-th smallest difference. All methods count the same rounded
/// differences, so their results cannot contradict each other.
struct PairwiseDifferences: Sendable {
  private let old: [Double]
  private let new: [Double]

  /// NaN values are left out; infinities count as half the largest number, so that differences stay finite.
  init(old: [Double], new: [Double]) {
    self.old = Self.sorted(old)
    self.new = Self.sorted(new)
  }

  private static func sorted(_ values: [Double]) -> [Double] {
    let largest = Double.greatestFiniteMagnitude / 2
    return values.filter { !$0.isNaN }.map { min(max($0, -largest), largest) }.sorted()
  }

  var oldCount: Int { old.count }
  var newCount: Int { new.count }
  var count: Int { old.count * new.count }

  /// The number of differences that are x or less.
  func count(atMost x: Double) -> Int {
    count { $0 <= x }
  }

  /// The number of differences that are x or more.
  func count(atLeast x: Double) -> Int {
    count - count { $0 < x }
  }

  /// The k-th smallest difference, for a rank k from 1 to `count`.
  func value(rank: Int) -> Double {
    guard let oldFirst = old.first, let oldLast = old.last, let newFirst = new.first, let newLast = new.last else {
      return 0
    }
    var low = OrderedBits(newFirst - oldLast)
    var high = OrderedBits(newLast - oldFirst)
    while low < high {
      let middle = low.halfway(to: high)
      if count(atMost: middle.number) >= rank { high = middle } else { low = middle.next }
    }
    return low.number + 0  // −0 becomes 0
  }

  /// The middle difference, or halfway between the two middle ones; 0 where there are no differences.
  func median() -> Double {
    guard count > 0 else { return 0 }
    let low = value(rank: (count + 1) / 2)
    let upperRank = count / 2 + 1
    return count(atMost: low) >= upperRank ? low : halfway(low, value(rank: upperRank))
  }

  /// The number of pairs for which `isBelow` holds. It must hold for all differences below some bound and for no
  /// difference above it.
  @inline(__always)
  private func count(where isBelow: (Double) -> Bool) -> Int {
    var (total, end) = (0, 0)
    for value in old {
      while end < new.count, isBelow(new[end] - value) { end += 1 }
      total += end
    }
    return total
  }
}

/// A number's bits, changed so that they sort as the numbers do.
private struct OrderedBits: Comparable {
  private let bits: UInt64

  private init(bits: UInt64) { self.bits = bits }

  init(_ number: Double) {
    let pattern = number.bitPattern
    bits = number.sign == .minus ? ~pattern : pattern | 1 << 63
  }

  var number: Double { Double(bitPattern: bits >> 63 == 1 ? bits ^ 1 << 63 : ~bits) }
  var next: OrderedBits { OrderedBits(bits: bits + 1) }

  func halfway(to high: OrderedBits) -> OrderedBits { OrderedBits(bits: bits + (high.bits - bits) / 2) }

  static func < (left: OrderedBits, right: OrderedBits) -> Bool { left.bits < right.bits }
}
