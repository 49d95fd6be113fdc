/// A queue whose elements lie in one ring of memory that grows when it is full. Its memory lives as long as the process.
///
/// A position, such as ``end``, names the same place among the elements however the ring grows.
struct ReadyQueue<Element> {
  private var places: UnsafeMutablePointer<Element>
  /// One less than the number of places, which is a power of two.
  private var mask: Int
  /// The position of the first element.
  private(set) var start = 0
  /// The position after the last element.
  private(set) var end = 0

  /// - Parameter capacity: the number of places at first, a power of two.
  init(capacity: Int) {
    precondition(capacity > 0 && capacity & (capacity - 1) == 0, "the number of places is a power of two")
    places = .allocate(capacity: capacity)
    mask = capacity - 1
  }

  var isEmpty: Bool { start == end }

  mutating func append(_ element: Element) {
    if end &- start > mask { grow() }
    (places + (end & mask)).initialize(to: element)
    end &+= 1
  }

  /// Adds an element before all others.
  mutating func prepend(_ element: Element) {
    if end &- start > mask { grow() }
    start &-= 1
    (places + (start & mask)).initialize(to: element)
  }

  /// Takes the first element; there must be one.
  mutating func removeFirst() -> Element {
    defer { start &+= 1 }
    return (places + (start & mask)).move()
  }

  private mutating func grow() {
    let larger = UnsafeMutablePointer<Element>.allocate(capacity: 2 * (mask + 1))
    let largerMask = 2 * mask + 1
    for position in start..<end {
      (larger + (position & largerMask)).moveInitialize(from: places + (position & mask), count: 1)
    }
    places.deallocate()
    (places, mask) = (larger, largerMask)
  }
}
