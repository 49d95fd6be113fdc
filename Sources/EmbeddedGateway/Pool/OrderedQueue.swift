/// A first-in, first-out queue whose elements may also leave from the middle; operations take amortised constant time.
struct OrderedQueue<Element: Hashable> {
  /// The elements in order; one that left from the middle leaves an empty slot.
  private var slots: [Element?] = []
  /// Index of the first slot that may be occupied.
  private var head = 0
  private var indices: [Element: Int] = [:]

  var count: Int { indices.count }

  /// The elements, oldest first.
  var elements: [Element] { slots[head...].compactMap { $0 } }

  func contains(_ element: Element) -> Bool { indices[element] != nil }

  /// Appends `element`; one that is already there keeps its place.
  mutating func append(_ element: Element) {
    guard indices[element] == nil else { return }
    indices[element] = slots.count
    slots.append(element)
  }

  mutating func removeFirst() -> Element? {
    while head < slots.count {
      let slot = slots[head]
      slots[head] = nil
      head += 1
      if let element = slot {
        indices[element] = nil
        compactIfSparse()
        return element
      }
    }
    return nil
  }

  /// Removes `element`; returns whether it was there.
  @discardableResult
  mutating func remove(_ element: Element) -> Bool {
    guard let index = indices.removeValue(forKey: element) else { return false }
    slots[index] = nil
    compactIfSparse()
    return true
  }

  private mutating func compactIfSparse() {
    guard slots.count > 32, slots.count > 2 * indices.count else { return }
    slots = elements
    head = 0
    for (index, slot) in slots.enumerated() {
      if let element = slot { indices[element] = index }
    }
  }
}
