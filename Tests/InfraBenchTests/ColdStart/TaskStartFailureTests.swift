import Testing

@testable import AWS
@testable import InfraBench
@testable import Results

/// What results and people are told when a task could not be started.
@Suite struct TaskStartFailureTests {
  private static let words: [(message: String, kind: AWSError.Kind, remedy: String)] = [
    ("User: x is not authorized to perform: iam:PassRole on resource: y", .accessDenied, "iam:PassRole"),
    ("User: x is not authorized to perform: ecs:RunTask on resource: y", .accessDenied, "as it was"),
    ("Unable to describe task definition.", .wrongParameter, "--task-definition"),
    ("TaskDefinition not found.", .wrongParameter, "--task-definition"),
    ("Network Configuration must be provided when networkMode 'awsvpc' is specified.", .wrongParameter, "--subnets"),
    ("Error retrieving security group information for [sg-1]", .wrongParameter, "--security-groups"),
    ("No Fargate configuration exists: launch type", .wrongParameter, "--launch-type"),
    ("Cluster not found.", .wrongParameter, "as it was"),
  ]

  @Test(arguments: words) func theRemedyFitsRunTask(message: String, kind: AWSError.Kind, remedy: String) {
    let error = RunTaskRemedy.explained(AWSError(kind, message: message, hint: "as it was"))
    #expect(error.hint?.contains(remedy) == true, "\(error)")
    #expect(error.message == message)
  }

  @Test(arguments: [
    (AWSError(.accessDenied, code: "AccessDeniedException", message: ""), "AccessDeniedException", true),
    (AWSError(.throttled, code: "ThrottlingException", message: ""), "ThrottlingException", false),
    (AWSError(.server, code: "ServerException", message: "", httpStatus: 500), "http_500", false),
    (AWSError(.server, message: "<html>", httpStatus: 503), "http_503", false),
    (AWSError(.credentials, message: "no credentials", httpStatus: 503), "ecs_credentials", true),
    (AWSError(.server, message: ""), "ecs_server", false),
    (AWSError(.transfer, message: "", transfer: .init(.timeout, "")), "timeout", false),
    (AWSError(.transfer, message: "", transfer: .init(.connect, "")), "ecs_connect", false),
    (
      AWSError(.wrongCredentials, code: "UnrecognizedClientException", message: ""), "UnrecognizedClientException", true
    ),
  ]) func everyErrorHasAShortNameAndIsFinalOrNot(error: AWSError, kind: String, isFinal: Bool) {
    #expect(TaskStartFailure(.runTask, error).kind == kind)
    #expect(error.isFinal == isFinal)
  }

  @Test func whatFindsNoRoomIsNamedByItsReason() {
    let failure = TaskStartFailure(
      unplaced: [
        ECSFailure(arn: "arn:aws:ecs:r:1:container-instance/c", reason: "RESOURCE:MEMORY", detail: "none has it")
      ])
    #expect(failure.step == .runTask && failure.kind == "RESOURCE:MEMORY" && failure.task == nil)
    #expect(failure.message.contains("RESOURCE:MEMORY, none has it, arn:aws:ecs:r:1:container-instance/c"))
    #expect(TaskStartFailure(unplaced: []).kind == "no_task")
  }

  @Test func aCancelledCallIsNoFailure() {
    let error = AWSError(.transfer, message: "", transfer: .init(.cancelled, ""))
    #expect(TaskStartFailure(.runTask, error).isCancellation)
  }
}
