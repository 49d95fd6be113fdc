import ArgumentParser
import MockGateway
import WarmTaskProgram

/// `mock-gateway`. Called by the name `warm-task`, it is that program: in the packages of a release the agent is a link to
/// this program, because each program there holds the Swift runtime.
@main
struct Main {
  static func main() async {
    let name = CommandLine.arguments.first?.split(separator: "/").last
    if name == "warm-task" { await WarmTaskCommand.main() } else { await MockGatewayCommand.main() }
  }
}
