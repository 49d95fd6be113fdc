import Testing

@testable import LoadEngine

@Suite struct SystemFileParserTests {
  static let stats: [(String, MachineCPUTime?)] = [
    ("cpu  10 1 20 1000 5 0 7 34 3 0\ncpu0 1 2 3\n", MachineCPUTime(total: 1077, stolen: 34)),
    ("cpu 1 1 1 1 1 1 1 1", MachineCPUTime(total: 8, stolen: 1)),
    ("cpu  18446744073709551615 1 0 0 0 0 0 2 0 0", MachineCPUTime(total: .max, stolen: 2)),
    ("", nil), ("cpu", nil), ("cpu 1 2 3 4 5 6 7", nil), ("cpu0 1 1 1 1 1 1 1 1", nil),
    ("cpu 1 1 1 1 1 1 1 -1", nil), ("cpu 1 1 1 1 1 1 1 x", nil), ("cpu 1 1 1 1 1 1 1 18446744073709551616", nil),
    ("\0\0\0", nil), ("intr 1 1 1 1 1 1 1 1\ncpu 1 1 1 1 1 1 1 1", nil),
  ]

  @Test(arguments: stats) func theMachinesCPUTimeIsParsed(_ text: String, _ expected: MachineCPUTime?) {
    #expect(MachineCPUTime.parse(text) == expected)
  }

  static let lists: [(String, Set<Int>?)] = [
    ("0\n", [0]), ("0-3,5", [0, 1, 2, 3, 5]), ("7,1-2\n", [1, 2, 7]), ("0-8191", Set(0...8191)),
    ("", nil), ("\n", nil), (",", nil), ("1,", nil), ("-", nil), ("-1", nil), ("1-", nil), ("3-1", nil),
    ("1-2-3", nil), ("0-8192", nil), ("0-4294967295", nil), ("99999999999999999999", nil), ("a", nil), ("0 1", nil),
    ("0-3:1/2", nil), ("0\n1", nil),
  ]

  @Test(arguments: lists) func aListOfProcessorsIsParsed(_ text: String, _ expected: Set<Int>?) {
    #expect(ProcessorSet.parse(text) == expected)
  }

  @Test(
    arguments: [
      ("Name:\tx\nCpus_allowed:\t3\nCpus_allowed_list:\t0-1\nMems_allowed:\t1\n", [0, 1]),
      ("Cpus_allowed_list: 4", [4]), ("Name:\tCpus_allowed_list:\t1\n", nil), ("Cpus_allowed_list:\n", nil), ("", nil),
    ] as [(String, Set<Int>?)])
  func theAffinityMaskIsParsed(_ text: String, _ expected: Set<Int>?) {
    #expect(ProcessorSet.parseStatus(text) == expected)
  }

  @Test(
    arguments: [
      ("performance\n", "performance"), ("schedutil", "schedutil"), ("a_b", "a_b"), ("", nil), ("\n", nil),
      ("a b", nil),
      ("\u{1b}[31m", nil), ("UPPER", nil), ("abcdefghijklmnopq", nil), ("a\nb", nil),
    ] as [(String, String?)])
  func aGovernorIsParsed(_ text: String, _ expected: String?) {
    #expect(FrequencyGovernor.parse(text) == expected)
  }

  @Test func aFileThatIsNotThereIsNoFile() {
    #expect(SystemFile.read("/proc/no-such-file") == nil)
    #expect(SystemFile.read("/proc/self/stat", limit: 3)?.utf8.count == 3)
  }
}
