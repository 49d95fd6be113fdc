import ArgumentParser
import WarmTaskProgram

@main
struct Main {
  static func main() async { await WarmTaskCommand.main() }
}
