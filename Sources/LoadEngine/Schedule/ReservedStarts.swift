/// Starts that belong to users who wait for one, the oldest first; never more than there are such users.
struct ReservedStarts {
  private var starts: [ArrivalQueue.Start] = []
  private var first = 0

  var count: Int { starts.count - first }

  mutating func append(_ start: ArrivalQueue.Start) { starts.append(start) }

  mutating func takeFirst() -> ArrivalQueue.Start? {
    guard first < starts.count else { return nil }
    defer {
      first += 1
      // What was taken is cleared away when it is the greater part: constant time on average.
      if first * 2 > starts.count {
        starts.removeFirst(first)
        first = 0
      }
    }
    return starts[first]
  }

  mutating func takeLast() -> ArrivalQueue.Start? { count > 0 ? starts.removeLast() : nil }

  mutating func removeAll() {
    starts.removeAll(keepingCapacity: true)
    first = 0
  }
}
