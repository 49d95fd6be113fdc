import Testing

@testable import InfraBench
@testable import Results

@Suite struct DescriptorShortageTests {
  @Test(arguments: [(0, 64), (936, 1_000), (1_000, .max)]) func aPlanThatFitsIsNoProblem(files: Int, limit: Int) {
    #expect(DescriptorShortage.problem(files: files, limit: limit) == nil)
  }

  @Test(arguments: [(1, 64), (937, 1_000), (Int.max, 1 << 20)]) func onePastTheLimitIs(files: Int, limit: Int) throws {
    let problem = try #require(DescriptorShortage.problem(files: files, limit: limit))
    #expect(problem.contains("this process may have \(limit)") && problem.contains("ulimit -n"), "\(problem)")
  }
}
