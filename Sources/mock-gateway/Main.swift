import ArgumentParser
import MockGateway

@main
struct Main {
  static func main() async { await MockGatewayCommand.main() }
}
