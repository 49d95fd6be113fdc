import Foundation
import Gateway
import Testing

/// What tells one answer from others.
@Suite struct ProfileConditionTests {
  private typealias Parts = ProfileCondition.Parts

  private func holds(
    _ fields: [String: ProfileCondition.Expectation], status: [Int]? = nil, answer: Int? = nil, _ text: String?
  ) throws -> Bool {
    var parts = Parts(status: status)
    for (pointer, expectation) in fields { parts.fields[try #require(JSONPointer(pointer))] = expectation }
    return ProfileCondition([parts]).holds(status: answer, text.flatMap { JSONNode.parse($0.utf8) })
  }

  @Test(
    arguments: [
      (#"{"type": "a"}"#, true), (#"{"type": "b"}"#, true), (#"{"type": "c"}"#, false), (#"{"type": "A"}"#, false),
      (#"{"type": ["a"]}"#, false), (#"{"type": {"a": "a"}}"#, false), (#"{"type": null}"#, false), ("{}", false),
      (#"["a"]"#, false), (#""a""#, false), (#"{"type": " a"}"#, false), (#"{"other": "a"}"#, false), (nil, false),
    ] as [(String?, Bool)])
  func aValueIsOneOfSeveral(_ text: String?, _ expected: Bool) throws {
    #expect(try holds(["/type": .oneOf([.string("a"), .string("b")])], text) == expected)
  }

  @Test(
    arguments: [
      ("{}", [.null, .bool(true)], true), (#"{"x": null}"#, [.null], true),
      (#"{"x": false}"#, [.null, .bool(true)], false),
      (#"{"x": 0}"#, [.bool(false)], false), (#"{"x": 1}"#, [.bool(true)], false),
      (#"{"x": "1"}"#, [.number(1)], false),
      (#"{"x": 1.0}"#, [.number(1)], true), (#"{"x": 1e0}"#, [.number(1)], true), (#"{"x": ""}"#, [.null], false),
      ("[]", [.null], true), ("7", [.null], true),
    ] as [(String, [JSONNode], Bool)])
  func nullIsWhatIsNotThereAndTypesAreKeptApart(_ text: String, _ values: [JSONNode], _ expected: Bool) throws {
    #expect(try holds(["/x": .oneOf(values)], text) == expected)
  }

  @Test(
    arguments: [
      ("{}", false), (#"{"x": null}"#, false), (#"{"x": false}"#, true), (#"{"x": ""}"#, true), (#"{"x": 0}"#, true),
      (#"{"x": []}"#, true), (#"{"x": {}}"#, true),
    ] as [(String, Bool)])
  func whatIsThereExistsUnlessItIsNull(_ text: String, _ expected: Bool) throws {
    #expect(try holds(["/x": .exists(true)], text) == expected)
    #expect(try holds(["/x": .exists(false)], text) == !expected)
  }

  @Test(
    arguments: [
      (#"{"x": "No Warm Tasks available"}"#, true), (#"{"x": "no warm task"}"#, true), (#"{"x": "warm"}"#, false),
      (#"{"x": ["no warm task"]}"#, false), ("{}", false), (#"{"x": null}"#, false),
    ] as [(String, Bool)])
  func aTextContainsAPartWhateverItsCase(_ text: String, _ expected: Bool) throws {
    #expect(try holds(["/x": .contains("no WARM task")], text) == expected)
  }

  @Test(
    arguments: [
      (200, true), (204, true), (201, false), (500, false), (nil, false),
    ] as [(Int?, Bool)])
  func theStatusIsOneOfSeveral(_ status: Int?, _ expected: Bool) throws {
    #expect(try holds([:], status: [200, 204], answer: status, nil) == expected)
    #expect(try holds([:], status: [200, 204], answer: status, "{}") == expected)
  }

  @Test func allPartsOfOneSetMustHold() throws {
    let fields: [String: ProfileCondition.Expectation] = ["/a": .exists(true), "/b": .exists(false)]
    for (status, text, expected) in [
      (200, #"{"a": 1}"#, true), (201, #"{"a": 1}"#, false), (200, #"{"a": 1, "b": 2}"#, false), (200, "{}", false),
      // Without JSON nothing is known of its fields, not even that they are absent.
      (200, nil, false),
    ] as [(Int, String?, Bool)] {
      #expect(try holds(fields, status: [200], answer: status, text) == expected, "\(status) \(text ?? "")")
    }
  }

  @Test func ofSeveralSetsOneSuffices() throws {
    let pointer = try #require(JSONPointer("/a"))
    let condition = ProfileCondition([
      Parts(status: [404]), Parts(status: [200], fields: [pointer: .oneOf([.number(1)])]),
      Parts(fields: [pointer: .oneOf([.number(2)])]),
    ])
    for (status, text, expected) in [
      (404, nil, true), (200, #"{"a": 1}"#, true), (200, #"{"a": 3}"#, false), (500, #"{"a": 2}"#, true),
      (500, #"{"a": 1}"#, false), (nil, #"{"a": 2}"#, true),
    ] as [(Int?, String?, Bool)] {
      let root = text.flatMap { JSONNode.parse($0.utf8) }
      #expect(condition.holds(status: status, root) == expected, "\(status ?? 0) \(text ?? "")")
    }
  }

  @Test func everyMessageMeetsAnyAlsoOneThatIsNoJSON() {
    #expect(ProfileCondition.any.isAny)
    #expect(ProfileCondition.any.holds(nil) && ProfileCondition.any.holds(status: 500, .null))
    #expect(!ProfileCondition([Parts()]).isAny)
  }
}
