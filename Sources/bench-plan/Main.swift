import InfraBench

@main
struct Main {
  static func main() async { await PlanCommand.runAsTool() }
}
