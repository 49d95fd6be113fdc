import InfraBench

@main
struct Main {
  static func main() async { await InfraBenchCommand.runAsProgram(CommandLine.arguments) }
}
