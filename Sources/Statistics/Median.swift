/// The middle of some values, or halfway between the two middle ones; 0 where there are none.
public func median(of values: [Double]) -> Double { median(ofSorted: values.sorted()) }

/// The middle of sorted values, or halfway between the two middle ones; 0 where there are none.
func median(ofSorted values: [Double]) -> Double {
  guard !values.isEmpty else { return 0 }
  return halfway(values[(values.count - 1) / 2], values[values.count / 2])
}

/// The mean of two numbers, which cannot overflow and is never outside of them.
func halfway(_ low: Double, _ high: Double) -> Double {
  low == high ? low : min(max(low / 2 + high / 2, low), high)
}
