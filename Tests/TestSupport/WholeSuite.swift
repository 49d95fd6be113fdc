import FoundationEssentials
public import Testing

/// How much of the tests runs. `./test.sh` is the fast suite, which people run after each change; `./test.sh --all` sets
/// `INFRABENCH_TESTS=all` and runs everything, as CI does.
public enum WholeSuite {
  /// Whether everything is to run.
  public static let isWanted = ProcessInfo.processInfo.environment["INFRABENCH_TESTS"] == "all"

  /// How often a test with drawn input draws: `all` times in the whole suite, `fast` times in the fast one.
  public static func draws(_ all: Int, fast: Int) -> Int { isWanted ? all : fast }
}

extension Trait where Self == ConditionTrait {
  /// Of the whole suite only: a test that takes some seconds. The fast suite keeps a quicker one of each tool's main lines.
  public static var wholeSuiteOnly: Self { .enabled(if: WholeSuite.isWanted, "takes long: ./test.sh --all") }
}
