/// Remembers which tasks are given out, so that a task given out twice is noticed. Pure, and bounded.
package struct AssignmentLedger: Sendable {
  /// How many tasks are remembered at one time.
  package static let limit = 1_000_000

  /// Tasks that were given out and whose release has not completed.
  package private(set) var outstanding = TaskIDSet()
  /// Whether a task could not be remembered, so that duplicates may have been missed.
  package private(set) var isOverLimit = false

  private let limit: Int

  package init(limit: Int = AssignmentLedger.limit) {
    self.limit = limit
  }

  /// Notes an answer that names `task`; true if the task was given out already: a violation.
  package mutating func assign(_ task: String) -> Bool {
    if outstanding.count < limit { return !outstanding.insert(task) }
    if outstanding.contains(task) { return true }
    isOverLimit = true
    return false
  }

  /// Notes that the release of `task` has completed.
  package mutating func released(_ task: String) {
    outstanding.remove(task)
  }
}

/// A set of task ids. Nearly all ids have one of two forms: 32 hexadecimal digits, as ECS names its tasks, or a UUID.
/// These take 16 bytes instead of a string's 80, and are found without following a pointer. Any other spelling, upper
/// case included, is kept as it is, so that no two ids are confused.
package struct TaskIDSet: Sendable {
  private var digits: Set<UInt128> = []
  private var uuids: Set<UInt128> = []
  private var others: Set<String> = []

  package init() {}

  package var count: Int { digits.count + uuids.count + others.count }

  /// All ids, in no order.
  package var all: [String] {
    digits.map { Self.hexadecimal($0, dashed: false) } + uuids.map { Self.hexadecimal($0, dashed: true) } + others
  }

  package func contains(_ name: String) -> Bool {
    switch Self.parse(name) {
    case .digits(let number): digits.contains(number)
    case .uuid(let number): uuids.contains(number)
    case .other: others.contains(name)
    }
  }

  /// Adds an id; false if it was in the set already.
  @discardableResult
  package mutating func insert(_ name: String) -> Bool {
    switch Self.parse(name) {
    case .digits(let number): digits.insert(number).inserted
    case .uuid(let number): uuids.insert(number).inserted
    case .other: others.insert(name).inserted
    }
  }

  package mutating func remove(_ name: String) {
    switch Self.parse(name) {
    case .digits(let number): digits.remove(number)
    case .uuid(let number): uuids.remove(number)
    case .other: others.remove(name)
    }
  }

  private enum Form {
    case digits(UInt128)
    case uuid(UInt128)
    case other
  }

  private static let digitCount = 32
  private static let dashes = [8, 13, 18, 23]

  private static func parse(_ name: String) -> Form {
    guard name.utf8.count == digitCount || name.utf8.count == digitCount + dashes.count else { return .other }
    return name.utf8.withContiguousStorageIfAvailable(parse) ?? .other
  }

  private static func parse(_ bytes: UnsafeBufferPointer<UInt8>) -> Form {
    let isDashed = bytes.count > digitCount
    var (high, low): (UInt64, UInt64) = (0, 0)
    for (position, byte) in bytes.enumerated() {
      if isDashed, dashes.contains(position) {
        guard byte == UInt8(ascii: "-") else { return .other }
      } else {
        guard let value = hexadecimalValue(byte) else { return .other }
        high = high << 4 | low >> 60
        low = low << 4 | UInt64(value)
      }
    }
    let number = UInt128(high) << 64 | UInt128(low)
    return isDashed ? .uuid(number) : .digits(number)
  }

  private static func hexadecimalValue(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    default: nil
    }
  }

  private static func hexadecimal(_ number: UInt128, dashed: Bool) -> String {
    let text = String(number, radix: 16)
    var digits = Array((String(repeating: "0", count: digitCount - text.utf8.count) + text).utf8)
    if dashed { for position in dashes { digits.insert(UInt8(ascii: "-"), at: position) } }
    return String(decoding: digits, as: UTF8.self)
  }
}
