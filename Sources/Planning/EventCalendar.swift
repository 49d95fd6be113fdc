/// What happens later in a simulation, in order of time: a binary heap.
///
/// Nothing is allocated once the calendar has held as many events as it will at one time.
struct EventCalendar {
  /// The kinds, in the order in which events of one instant happen: what frees something goes before what needs it.
  enum Kind: UInt64 {
    case sessionEnds, instanceReady, taskReady, instancePoolRefilled, instanceIdle
  }

  struct Event {
    var time: UInt64
    /// The kind above, the number of the task or instance below: events of one instant have a fixed order.
    fileprivate var key: UInt64

    var kind: Kind { Kind(rawValue: key >> 32) ?? .sessionEnds }
    var subject: Int { Int(key & 0xffff_ffff) }

    fileprivate func precedes(_ other: Event) -> Bool {
      time != other.time ? time < other.time : key < other.key
    }
  }

  private var heap = ContiguousArray<Event>()

  /// The time of the next event; `UInt64.max` without one.
  var nextTime: UInt64 { heap.isEmpty ? .max : heap[0].time }
  var count: Int { heap.count }

  mutating func add(_ kind: Kind, _ subject: Int, at time: UInt64) {
    let event = Event(time: time, key: kind.rawValue << 32 | UInt64(subject))
    heap.append(event)
    heap.withUnsafeMutableBufferPointer { heap in
      var place = heap.count - 1
      while place > 0 {
        let parent = (place - 1) / 2
        guard event.precedes(heap[parent]) else { break }
        heap[place] = heap[parent]
        place = parent
      }
      heap[place] = event
    }
  }

  /// Takes the next event. There must be one.
  mutating func removeFirst() -> Event {
    let first = heap[0]
    let last = heap.removeLast()
    guard !heap.isEmpty else { return first }
    heap.withUnsafeMutableBufferPointer { heap in
      var place = 0
      while true {
        var child = 2 * place + 1
        guard child < heap.count else { break }
        if child + 1 < heap.count, heap[child + 1].precedes(heap[child]) { child += 1 }
        guard heap[child].precedes(last) else { break }
        heap[place] = heap[child]
        place = child
      }
      heap[place] = last
    }
    return first
  }
}

/// A queue in a ring that grows: nothing is allocated once it has been as long as it gets.
struct Ring<Element> {
  private var storage: ContiguousArray<Element?> = ContiguousArray(repeating: nil, count: 16)
  private var head = 0
  private(set) var count = 0

  var isEmpty: Bool { count == 0 }
  var first: Element? { count > 0 ? storage[head] : nil }

  mutating func append(_ element: Element) {
    if count == storage.count { grow() }
    storage[(head + count) & (storage.count - 1)] = element
    count += 1
  }

  mutating func popFirst() -> Element? {
    guard count > 0 else { return nil }
    defer {
      head = (head + 1) & (storage.count - 1)
      count -= 1
    }
    return storage[head]
  }

  private mutating func grow() {
    var larger = ContiguousArray<Element?>(repeating: nil, count: storage.count * 2)
    for place in 0..<count { larger[place] = storage[(head + place) & (storage.count - 1)] }
    storage = larger
    head = 0
  }
}
