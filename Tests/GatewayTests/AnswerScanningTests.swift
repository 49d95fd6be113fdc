import Foundation
import Latency
import TestSupport
import Testing

@testable import Gateway
@testable import Transport

/// The scan of an answer's bytes against `JSONDecoder`: it may give up on anything, and must never differ.
@Suite struct AnswerScanningTests {
  static let usual = [
    #"{"success":true,"taskId":"3c04db8b0f3abc8b9d30f63b889cae8c","source":"warm","latency":0.1}"#,
    #"{"taskArn": "arn:aws:ecs:eu-west-1:1:task/cluster/abc", "latency": 45}"#,
    #"{"success": true, "taskId": "t-1", "userId": "u", "sessionId": null, "latency": 1.5}"#,
    #"{"success": false, "error": "No warm tasks available", "warmCount": 0}"#,
    #"{"success": false, "code": "TASK_START_FAILED", "warmCount": 100000, "breakdown": null}"#,
    #"{"success":true}"#, "{\"success\" : true , \"taskId\":\"t\"}\n", "\t{\r\n}\t",
    #"{"success":true,"unknown":7,"other":"x","more":0.25,"none":null,"yes":false,"zero":0,"":""}"#,
    #"{"latency":0,"taskId":""}"#, #"{"latency":123456789012345}"#, #"{"latency":0.0000000000001}"#,
    #"{"success":true,"unknown":1,"unknown":2}"#, #"{"latency":1234.56789}"#, #"{"latency":0.30}"#,
  ]

  static let unusual = [
    "", " ", "{", "}", "{}}", "{} x", "{,}", "[]", "null", "7", #""text""#, #"{"success":true,}"#, #"{"success" true}"#,
    #"{"success":}"#, #"{"success":truely}"#, #"{"success":tru}"#, #"{"success":True}"#, #"{"success":1}"#,
    #"{"success":"true"}"#, #"{success:true}"#, #"{'success':true}"#, #"{"success":true"taskId":"t"}"#,
    #"{"success":true}{"success":false}"#, #"{"success":true,"success":false}"#, #"{"taskId":"a","taskId":"b"}"#,
    #"{"taskId":null,"taskId":"b"}"#, #"{"taskId":"b","taskId":null}"#, #"{"latency":1,"latency":2}"#,
    #"{"taskId":"\u0074"}"#, #"{"\u0074askId":"t"}"#, #"{"taskId":"a\"b"}"#, #"{"unknown":"\n"}"#, #"{"unknown":"\x"}"#,
    #"{"taskId":"é"}"#, #"{"é":1}"#, #"{"taskId":7}"#, #"{"taskId":["t"]}"#, #"{"taskId":{"a":"t"}}"#,
    #"{"unknown":{"deep":[1]}}"#, #"{"unknown":[]}"#, #"{"breakdown":{"init_user_ms":1}}"#, #"{"breakdown":7}"#,
    #"{"latency":"45"}"#, #"{"latency":-1}"#, #"{"latency":-0}"#, #"{"latency":+1}"#, #"{"latency":1e3}"#,
    #"{"latency":1E-3}"#, #"{"latency":01}"#, #"{"latency":00}"#, #"{"latency":1.}"#, #"{"latency":.5}"#,
    #"{"latency":1.5.5}"#, #"{"latency":1..5}"#, #"{"latency":0x10}"#, #"{"latency":NaN}"#, #"{"latency":Infinity}"#,
    #"{"latency":1234567890123456}"#, #"{"latency":0.12345678901234567}"#, #"{"latency":99999999999999999999999999}"#,
    #"{"latency":123456789012345.5}"#, #"{"warmCount":1.0}"#, #"{"warmCount":1e99}"#, #"{"warmCount":-3}"#,
    #"{"warmCount":"3"}"#, #"{"unknown":01}"#, #"{"unknown":1e5}"#, #"{"unknown":-}"#, #"{"unknown":nul}"#,
    "{\"taskId\":\"a\u{0}\"}", "{\"taskId\":\"a\nb\"}", "{\"taskId\":\"a\tb\"}", "{\"taskId\":\"a\u{7f}\"}",
    "{\"taskId\":\"t\"}\u{0}", "\u{0}{\"taskId\":\"t\"}", "\u{feff}{\"taskId\":\"t\"}", "{\u{a0}\"taskId\":\"t\"}",
    "{\u{b}\"taskId\":\"t\"}", "{\"taskId\":\"t\"} // comment", "{/**/}",
  ]

  private func scan<T: ScannableAnswer>(_ type: T.Type, _ bytes: [UInt8]) -> T? {
    bytes.withUnsafeBytes { T(scanning: $0) }
  }

  /// Whether the scan succeeded; records an issue if it did and `JSONDecoder` says otherwise.
  @discardableResult
  private func agree<T: ScannableAnswer & Equatable>(_ type: T.Type, _ bytes: [UInt8]) -> Bool {
    guard let scanned = scan(type, bytes) else { return false }
    let decoded = try? JSONDecoder().decode(type, from: Data(bytes))
    #expect(scanned == decoded, "\(String(decoding: bytes, as: UTF8.self).debugDescription)")
    return true
  }

  /// What is read in place on the way of a request, against the same decoder.
  ///
  /// - Returns: whether the bytes were read as an assignment, and as a release's success.
  @discardableResult
  private func agreeInPlace(_ bytes: [UInt8]) -> (assigns: Bool, released: Bool) {
    let shown = String(decoding: bytes, as: UTF8.self).debugDescription
    let stamps = ExchangeStamps(
      firstByteWrittenAt: .distantPast, firstByteReadAt: .distantPast, lastByteReadAt: .distantPast)
    let assigned = bytes.withUnsafeBytes { AssignedTask(scanning: $0, stamps) }
    if let assigned {
      let decoded = try? JSONDecoder().decode(AcquireAnswer.self, from: Data(bytes))
      let expected = decoded.flatMap { AssignedTask($0, stamps) }
      #expect(decoded?.success != false, "\(shown)")
      #expect(assigned.task == expected?.task && assigned.task.name == decoded?.task, "\(shown)")
      #expect(assigned.source == expected?.source && assigned.latency == decoded?.latency, "\(shown)")
    }
    let isReleased = bytes.withUnsafeBytes { ReleaseOutcome.isPlainSuccess($0) }
    if isReleased {
      let decoded = try? JSONDecoder().decode(ReleaseAnswer.self, from: Data(bytes))
      #expect(decoded?.success == true, "\(shown)")
    }
    return (assigned != nil, isReleased)
  }

  @Test(arguments: usual + unusual) func whatIsReadInPlaceMeansTheSame(_ body: String) {
    agreeInPlace(Array(body.utf8))
    for start in ["\"success\":true,", "\"taskId\":\"t\",", "\"success\":false,\"taskId\":\"t\","] {
      agreeInPlace(Array(("{" + start + body.dropFirst()).utf8))
    }
  }

  @Test(arguments: [
    #"{"success":true,"taskId":"3c04db8b0f3abc8b9d30f63b889cae8c","source":"warm","latency":0.1}"#,
    #"{"success":true,"taskId":"3c04db8b-0f3a-bc8b-9d30-f63b889cae8c","userId":"u","source":"hot"}"#,
    #"{ "success" : true , "taskId" : "task-1" , "taskArn" : "arn:x/y" , "region" : null }"#, #"{"taskId":"t"}"#,
  ])
  func theUsualAssignmentIsReadInPlace(_ body: String) {
    #expect(agreeInPlace(Array(body.utf8)).assigns)
  }

  @Test(arguments: usual) func usualAnswersAreScannedAndMeanTheSame(_ body: String) {
    #expect(agree(AcquireAnswer.self, Array(body.utf8)))
    #expect(agree(ReleaseAnswer.self, Array(body.utf8)) == body.contains("success"))
  }

  @Test(arguments: unusual) func unusualAnswersAreLeftToTheDecoder(_ body: String) {
    #expect(scan(AcquireAnswer.self, Array(body.utf8)) == nil)
  }

  @Test(arguments: unusual) func whatIsUnusualInAnAcquireNeverDiffersInARelease(_ body: String) {
    agree(ReleaseAnswer.self, Array(body.utf8))
    agree(ReleaseAnswer.self, Array(("{\"success\":true," + body.dropFirst()).utf8))
  }

  @Test(arguments: usual) func everyPieceOfAnAnswerIsLeftToTheDecoder(_ body: String) {
    let bytes = Array(body.utf8.reversed().drop { $0 <= 0x20 }.reversed())
    for end in bytes.indices { #expect(scan(AcquireAnswer.self, Array(bytes[..<end])) == nil) }
  }

  @Test(arguments: 0..<8) func mutatedAnswersNeverDiffer(_ seed: UInt64) {
    var random = SeededRandom(seed: seed)
    // What JSON is made of is more telling than random bytes.
    let likely = Array(#"{}[]:,"\ .-+eE0123456789tfnulrasé"#.utf8) + [0, 9, 10, 13, 0x7f, 0xff]
    var (scanned, refused, assigned, released) = (0, 0, 0, 0)
    for _ in 0..<4000 {
      var bytes = Array(((Self.usual + Self.unusual).randomElement(using: &random) ?? "").utf8)
      for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
        let index = Int.random(in: 0..<bytes.count, using: &random)
        let byte = likely.randomElement(using: &random) ?? 0
        switch Int.random(in: 0..<5, using: &random) {
        case 0: bytes[index] = byte
        case 1: bytes.insert(byte, at: index)
        case 2: bytes.remove(at: index)
        case 3: bytes.insert(contentsOf: bytes[index...].prefix(20), at: index)
        default: bytes.removeLast(bytes.count - index)
        }
      }
      let isScanned = agree(AcquireAnswer.self, bytes)
      agree(ReleaseAnswer.self, bytes)
      let inPlace = agreeInPlace(bytes)
      if inPlace.assigns { assigned += 1 }
      if inPlace.released { released += 1 }
      if isScanned { scanned += 1 } else { refused += 1 }
    }
    #expect(scanned > 100 && refused > 100 && assigned > 3 && released > 3)
  }

  @Test(arguments: 0..<4) func numbersAreTheDecodersToTheLastBit(_ seed: UInt64) {
    var random = SeededRandom(seed: seed)
    for _ in 0..<4000 {
      let digits = Int.random(in: 0..<1_000_000_000_000_000, using: &random) >> Int.random(in: 0..<50, using: &random)
      let fraction = String(Int.random(in: 0..<1_000_000_000, using: &random))
      let text = Bool.random(using: &random) ? "\(digits)" : "\(digits % 100_000).\(fraction.prefix(9))"
      #expect(agree(AcquireAnswer.self, Array("{\"latency\":\(text)}".utf8)), "\(text)")
    }
  }
}
