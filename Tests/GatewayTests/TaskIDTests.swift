import TestSupport
import Testing

@testable import Gateway

@Suite struct TaskIDTests {
  /// Names that are near the two short forms, and some that are far from them.
  static let names = [
    "3c04db8b0f3abc8b9d30f63b889cae8c", "3C04DB8B0F3ABC8B9D30F63B889CAE8C", "3c04db8b0f3abc8b9d30f63b889cae8C",
    "3c04db8b-0f3a-bc8b-9d30-f63b889cae8c", "3c04db8b-0f3a-bc8b-9d30-f63b889caE8c",
    "3c04db8b0-f3a-bc8b-9d30-f63b889cae8c", "3c04db8b00f3a0bc8b09d300f63b889cae8c",
    "00000000000000000000000000000000", "00000000-0000-0000-0000-000000000000", "ffffffffffffffffffffffffffffffff",
    "0000000000000000000000000000000g", "+0000000000000000000000000000000", "", "t", "é", "a/b \"c\" \\",
  ]

  private func bytes(of task: TaskID) -> [UInt8] {
    var bytes = [UInt8](repeating: 0xaa, count: task.byteCount + 2)
    let count = bytes.withUnsafeMutableBytes { task.write(to: $0.baseAddress.map { $0 + 1 }) }
    #expect(count == task.byteCount && bytes.first == 0xaa && bytes.last == 0xaa, "\(task)")
    return Array(bytes[1..<(1 + count)])
  }

  @Test(arguments: names) func everySpellingComesBackAsItWas(_ name: String) {
    let ofText = TaskID(name)
    let ofBytes = Array(name.utf8).withUnsafeBytes { TaskID($0) }
    #expect(ofText == ofBytes && ofText.hashValue == ofBytes.hashValue)
    #expect(ofText.name == name && ofBytes.description == name)
    #expect(bytes(of: ofText) == Array(name.utf8))
  }

  @Test func noTwoSpellingsAreOneTask() {
    #expect(Set(Self.names.map { TaskID($0) }).count == Self.names.count)
  }

  @Test func onlyLowerCaseDigitsAreKeptAsANumber() {
    let valid = Array("0123456789abcdef".utf8)
    for place in 0..<32 {
      for byte in UInt8.min...UInt8.max {
        var name = [UInt8](repeating: UInt8(ascii: "7"), count: 32)
        name[place] = byte
        let task = name.withUnsafeBytes { TaskID($0) }
        #expect((task.form == .digits) == valid.contains(byte), "byte \(byte) at \(place)")
        if valid.contains(byte) { #expect(bytes(of: task) == name) }
      }
    }
  }

  @Test(arguments: 0..<4) func aNumberIsWrittenAsItIsRead(_ seed: UInt64) {
    var random = SeededRandom(seed: seed)
    for _ in 0..<2000 {
      let number = UInt128(random.next()) << 64 | UInt128(random.next())
      let digits = String(number, radix: 16)
      let name = String(repeating: "0", count: 32 - digits.count) + digits
      let task = TaskID(name)
      #expect(task.form == .digits && task.number == number && task.name == name)
      var groups = Array(name)
      for place in [20, 16, 12, 8] { groups.insert("-", at: place) }
      let uuid = TaskID(String(groups))
      #expect(uuid.form == .uuid && uuid.number == number && uuid.name == String(groups) && uuid != task)
    }
  }
}
