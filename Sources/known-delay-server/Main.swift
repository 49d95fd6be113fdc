import ArgumentParser
import KnownDelayServer

@main
struct Main {
  static func main() async { await KnownDelayCommand.main() }
}
