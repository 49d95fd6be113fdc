package import Gateway

/// A set of tasks. Those whose names have one of the two short forms take 16 bytes each, and are found without following
/// a pointer.
package struct TaskIDSet: Sendable {
  private var digits = NumberSet()
  private var uuids = NumberSet()
  private var others: Set<TaskID> = []

  package init() {}

  package var count: Int { digits.count + uuids.count + others.count }

  /// All tasks, in no order.
  package var all: [TaskID] {
    digits.all.map { TaskID($0, .digits) } + uuids.all.map { TaskID($0, .uuid) } + others
  }

  package func contains(_ task: TaskID) -> Bool {
    switch task.form {
    case .digits: digits.contains(task.number)
    case .uuid: uuids.contains(task.number)
    case .other: others.contains(task)
    }
  }

  /// Adds a task; false if it was in the set already.
  @discardableResult
  package mutating func insert(_ task: TaskID) -> Bool {
    switch task.form {
    case .digits: digits.insert(task.number)
    case .uuid: uuids.insert(task.number)
    case .other: others.insert(task).inserted
    }
  }

  /// Removes a task; false if it was not in the set.
  @discardableResult
  package mutating func remove(_ task: TaskID) -> Bool {
    switch task.form {
    case .digits: digits.remove(task.number)
    case .uuid: uuids.remove(task.number)
    case .other: others.remove(task) != nil
    }
  }
}

/// A set of numbers of 128 bits: a table with open addressing, linear probing, and deletion by shifting back (Knuth, The
/// Art of Computer Programming, volume 3, section 6.4, algorithm R). At most three quarters of it are in use.
///
/// `Set` hashes with SipHash, which takes longer than all the rest of this.
struct NumberSet: Sendable {
  /// 0 marks a free place; the number 0 itself is kept apart.
  private var places: [UInt128] = []
  private var hasZero = false
  private var used = 0
  /// Two numbers that differ from run to run, so that nobody can choose ids that collide.
  private let seeds = (UInt64.random(in: 0...(.max)), UInt64.random(in: 0...(.max)))

  var count: Int { used + (hasZero ? 1 : 0) }

  /// All numbers, in no order.
  var all: [UInt128] { places.filter { $0 != 0 } + (hasZero ? [0] : []) }

  func contains(_ number: UInt128) -> Bool {
    guard number != 0 else { return hasZero }
    return !places.isEmpty && places[place(of: number)] == number
  }

  /// Adds a number; false if it was in the set already.
  mutating func insert(_ number: UInt128) -> Bool {
    guard number != 0 else {
      defer { hasZero = true }
      return !hasZero
    }
    if (used + 1) * 4 > places.count * 3 { grow() }
    let place = place(of: number)
    guard places[place] != number else { return false }
    places[place] = number
    used += 1
    return true
  }

  /// Removes a number; false if it was not in the set.
  @discardableResult
  mutating func remove(_ number: UInt128) -> Bool {
    guard number != 0 else {
      defer { hasZero = false }
      return hasZero
    }
    guard !places.isEmpty else { return false }
    var gap = place(of: number)
    guard places[gap] == number else { return false }
    used -= 1
    let mask = places.count - 1
    var next = (gap + 1) & mask
    // What follows moves back into the gap, unless its own home lies behind the gap.
    while places[next] != 0 {
      if (next - home(of: places[next])) & mask >= (next - gap) & mask {
        places[gap] = places[next]
        gap = next
      }
      next = (next + 1) & mask
    }
    places[gap] = 0
    return true
  }

  /// Where the number is, or else the free place where it belongs.
  private func place(of number: UInt128) -> Int {
    let mask = places.count - 1
    var place = home(of: number)
    while places[place] != number, places[place] != 0 { place = (place + 1) & mask }
    return place
  }

  private func home(of number: UInt128) -> Int {
    let (high, low) = (UInt64(truncatingIfNeeded: number >> 64), UInt64(truncatingIfNeeded: number))
    let product = (low ^ seeds.0).multipliedFullWidth(by: high ^ seeds.1)
    return Int(truncatingIfNeeded: product.high ^ product.low) & (places.count - 1)
  }

  private mutating func grow() {
    let old = places
    places = [UInt128](repeating: 0, count: max(64, 2 * old.count))
    for number in old where number != 0 { places[place(of: number)] = number }
  }
}
