import InfraBench

@main
struct Main {
  static func main() async { await ExhaustionCommand.runAsTool() }
}
