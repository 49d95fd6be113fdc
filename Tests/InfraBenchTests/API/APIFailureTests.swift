import AWS
import Testing

@testable import InfraBench
@testable import Results

/// Which failures end a run of `bench-api`, and what the others are counted as.
@Suite struct APIFailureTests {
  private static func transfer(_ code: TransferError.Kind) -> AWSError {
    AWSError(.transfer, message: "no answer", transfer: TransferError(code, "no answer"))
  }

  private func kind(_ error: AWSError, isAnyAnswered: Bool = true) -> String? {
    guard case .passing(let kind, _) = APIFailure(error, of: .listTasks, isAnyAnswered: isAnyAnswered) else {
      return nil
    }
    return kind
  }

  @Test(arguments: [
    (AWSError(.throttled, code: "ThrottlingException", message: "Rate exceeded"), "throttled"),
    (AWSError(.server, message: "", httpStatus: 503), "http_503"),
    (transfer(.timeout), "timeout"), (transfer(.connect), "connect_failed"), (transfer(.nameLookup), "dns"),
    (transfer(.connectionLost), "connection_lost"), (transfer(.malformedAnswer), "invalid_response"),
  ]) func whatPassesIsCounted(error: AWSError, as kind: String) {
    #expect(self.kind(error) == "list_tasks: \(kind)")
  }

  @Test(arguments: [
    AWSError.Kind.wrongParameter, .credentials, .accessDenied, .expiredCredentials, .clockSkew, .wrongCredentials,
    .malformedAnswer, .configuration, .other,
  ]) func whatNoLaterCallChangesEndsTheRun(kind: AWSError.Kind) {
    let error = AWSError(kind, code: "Code", message: "words", hint: "check --flag", requestID: "r-1", httpStatus: 400)
    for isAnyAnswered in [false, true] {
      #expect(
        APIFailure(error, of: .listTasks, isAnyAnswered: isAnyAnswered)
          == .lasting("Code: words (HTTP 400, request id r-1); check --flag"))
    }
  }

  @Test(arguments: [TransferError.Kind.nameLookup, .connect, .timeout, .malformedAnswer])
  func anEndpointThatNeverAnsweredEndsTheRun(code: TransferError.Kind) {
    #expect(kind(Self.transfer(code), isAnyAnswered: false) == nil)
    #expect(kind(Self.transfer(code), isAnyAnswered: true) != nil)
  }

  @Test func aThrottledOrLostFirstCallDoesNotEndTheRun() {
    #expect(kind(AWSError(.throttled, message: ""), isAnyAnswered: false) != nil)
    #expect(kind(Self.transfer(.connectionLost), isAnyAnswered: false) != nil)
  }

  @Test func certificatesThatAreNotAcceptedEndTheRun() {
    #expect(kind(Self.transfer(.tls)) == nil)
  }

  @Test func aCancelledCallIsNoFailure() {
    #expect(APIFailure(Self.transfer(.cancelled), of: .describeTasks, isAnyAnswered: false) == .interrupted)
  }

  @Test func theRemedyOfThrottlingIsThisToolsOwnFlag() {
    let error = AWSError(.throttled, message: "Rate exceeded", hint: "call less often (--poll-interval)")
    #expect(
      APIFailure(error, of: .describeTasks, isAnyAnswered: true)
        == .passing(kind: "describe_tasks: throttled", example: "Rate exceeded; call less often (--rate)"))
  }
}
