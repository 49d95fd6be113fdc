import Foundation
import Testing
@testable import Results

/// The policies in docs/aws.md are copied by users: they must be ones that IAM takes.
@Suite struct AWSDocumentTests {
  private struct Policy: Decodable {
    struct Statement: Decodable {
      var effect: String
      var actions: [String]
      var resources: [String]
      var condition: [String: [String: String]]?

      enum CodingKeys: String, CodingKey {
        case sid = "Sid"
        case effect = "Effect"
        case actions = "Action"
        case resources = "Resource"
        case condition = "Condition"
      }

      init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        effect = try container.decode(String.self, forKey: .effect)
        actions = try Self.list(.actions, in: container)
        resources = try Self.list(.resources, in: container)
        condition = try container.decodeIfPresent([String: [String: String]].self, forKey: .condition)
        if let sid = try container.decodeIfPresent(String.self, forKey: .sid) {
          // IAM takes nothing else.
          #expect(sid.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber) }, "\(sid)")
        }
      }

      /// IAM takes one text or several.
      private static func list(
        _ key: CodingKeys, in container: KeyedDecodingContainer<CodingKeys>
      ) throws -> [String] {
        if let one = try? container.decode(String.self, forKey: key) { return [one] }
        return try container.decode([String].self, forKey: key)
      }
    }

    var version: String
    var statements: [Statement]

    enum CodingKeys: String, CodingKey {
      case version = "Version"
      case statements = "Statement"
    }

    var actions: Set<String> { Set(statements.flatMap(\.actions)) }
  }

  private static func policies() throws -> [Policy] {
    let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent().appending(path: "docs/aws.md")
    let text = try String(contentsOf: file, encoding: .utf8)
    return try text.components(separatedBy: "```json\n").dropFirst().map { block in
      let json = try #require(block.components(separatedBy: "\n```").first)
      return try JSONDecoder().decode(Policy.self, from: Data(json.utf8))
    }
  }

  @Test func eachPolicyAllowsWhatItsToolCallsAndNothingElse() throws {
    let policies = try Self.policies()
    let readOnly: Set = ["ecs:ListTasks", "ecs:DescribeTasks", "ecs:DescribeServices"]
    try #require(policies.count == 4)
    #expect(policies[0].actions == readOnly)
    #expect(policies[1].actions == readOnly.union(["ecs:StopTask", "ecs:UpdateService"]))
    #expect(
      policies[2].actions
        == ["ecs:RunTask", "ecs:ListTasks", "ecs:DescribeTasks", "ecs:StopTask", "iam:PassRole"])
    #expect(policies[3].actions == ["sts:AssumeRole"])
  }

  @Test func eachStatementIsWellFormedAndBound() throws {
    for policy in try Self.policies() {
      #expect(policy.version == "2012-10-17")
      for statement in policy.statements {
        #expect(statement.effect == "Allow")
        for action in statement.actions {
          #expect(["ecs:", "iam:", "sts:"].contains { action.hasPrefix($0) } && !action.contains("*"), "\(action)")
        }
        for resource in statement.resources where resource != "*" {
          let parts = resource.split(separator: ":", omittingEmptySubsequences: false)
          #expect(parts.count >= 6 && parts[0] == "arn" && parts[4].count == 12, "\(resource)")
          #expect((parts[2] == "iam") == parts[3].isEmpty, "\(resource)")
        }
        if statement.resources.contains("*") {
          #expect(statement.actions == ["ecs:ListTasks"])
          #expect(statement.condition?["ArnEquals"]?["ecs:cluster"]?.contains(":cluster/") == true)
        }
        if statement.actions.contains("iam:PassRole") {
          #expect(statement.condition?["StringEquals"]?["iam:PassedToService"] == "ecs-tasks.amazonaws.com")
        }
      }
    }
  }
}
