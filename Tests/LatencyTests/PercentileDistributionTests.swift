import Foundation
import Testing

@testable import Latency

struct PercentileDistributionTests {
  /// Written by hand from the definition: ten values, one each of 1 to 10 ms.
  @Test func theTextIsTheOneThatHdrHistogramWrites() {
    let text = PercentileDistribution.text(of: histogram((1...10).map { $0 * 1_000_000 }))
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    #expect(lines[0] == "       Value     Percentile TotalCount 1/(1-Percentile)" && lines[1] == "")
    #expect(lines[2] == "       1.000 0.000000000000          1           1.00")
    #expect(lines[3] == "       1.000 0.100000000000          1           1.11")
    #expect(lines[4] == "       2.001 0.200000000000          2           1.25")
    #expect(lines[7] == "       5.001 0.500000000000          5           2.00")
    #expect(lines[8] == "       6.001 0.550000000000          6           2.22")
    #expect(
      text.contains("\n      10.002 0.912500000000         10          11.43\n      10.002 1.000000000000         10\n")
    )
    #expect(text.contains("\n#[Mean    =        5.500, StdDeviation   =        2.872]\n"))
    #expect(text.contains("\n#[Max     =       10.002, Total count    =           10]\n"))
    #expect(text.hasSuffix("\n#[Buckets =           32, SubBuckets     =         2048]\n"))
  }

  @Test func everyStepIsThePercentileOfItsLevel() throws {
    for (name, histogram) in try histogramsOfManyShapes() {
      let steps = histogram.percentileSteps()
      #expect(steps.isEmpty == histogram.isEmpty, "\(name)")
      guard let last = steps.last else { continue }
      #expect(last == PercentileStep(level: 1, value: histogram.max, totalCount: histogram.totalCount), "\(name)")
      for (step, next) in zip(steps, steps.dropFirst()) {
        #expect(step.level < next.level && step.value <= next.value, "\(name)")
        #expect(step.totalCount == histogram.countAtOrBelow(step.value), "\(name)")
        let exact = Double(step.totalCount) / Double(histogram.totalCount)
        #expect(exact >= step.level - 1e-15, "\(name)")
      }
    }
  }

  /// Counts so large that the next level is no other floating-point number any more.
  @Test func stepsEndWhereLevelsCanNotBeToldApart() {
    var histogram = LatencyHistogram()
    histogram.record(1_000, count: LatencyHistogram.maximumTotalCount - 2)
    histogram.record(.microseconds(2))
    histogram.record(.microseconds(4))
    let steps = histogram.percentileSteps()
    #expect(steps.count < 400 && steps.last?.level == 1)
  }

  @Test func anEmptyHistogramHasHeadAndFoot() {
    let text = PercentileDistribution.text(of: LatencyHistogram())
    #expect(text.split(separator: "\n").count == 4 && text.contains("Total count    =            0]"))
  }

  /// What HdrHistogram's plotter takes from a line: the first and the fourth column.
  @Test func everyLineButTheLastHasFourColumns() {
    let text = PercentileDistribution.text(of: histogram((1...5000).map { $0 * 7_919 }))
    let rows = text.split(separator: "\n").dropFirst().filter { !$0.hasPrefix("#") }
    #expect(rows.dropLast().allSatisfy { $0.split(separator: " ").compactMap { Double($0) }.count == 4 })
    #expect(rows.last?.split(separator: " ").count == 3)
  }

  @Test(.enabled(if: PythonHistogramTests.python != nil, "INFRABENCH_PYTHON names no interpreter with hdrhistogram"))
  func pythonWritesTheSameLines() throws {
    // This library returns totals of more than 31 bits cut off.
    for (name, histogram) in try histogramsOfManyShapes() where histogram.totalCount < 1 << 31 {
      let data = HistogramV2Codec.encodeCompressedBase64(histogram)
      let theirs = try PythonLogs.run("hgrm", data).split(separator: "\n", omittingEmptySubsequences: false)
      let ours = PercentileDistribution.text(of: histogram).split(separator: "\n", omittingEmptySubsequences: false)
      #expect(ours.count == theirs.count, "\(name)")
      // Its foot differs from Java's: the deviation is in other units than the mean, and the count has decimals.
      for (our, their) in zip(ours, theirs) where !our.hasPrefix("#[M") { #expect(our == their, "\(name)") }
      let mean = "#[Mean    = "
      #expect(
        ours.first { $0.hasPrefix(mean) }?.prefix(24) == theirs.first { $0.hasPrefix(mean) }?.prefix(24), "\(name)")
    }
  }
}

/// `Fixtures/logs_with_python.py`.
enum PythonLogs {
  static func run(_ arguments: String..., input: String = "") throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: try #require(PythonHistogramTests.python))
    let script = PythonHistogramTests.fixtureDirectory.appendingPathComponent("logs_with_python.py").path
    process.arguments = [script] + arguments
    let (standardInput, output) = (Pipe(), Pipe())
    process.standardInput = standardInput
    process.standardOutput = output
    try process.run()
    try standardInput.fileHandleForWriting.write(contentsOf: Data(input.utf8))
    try standardInput.fileHandleForWriting.close()
    let text = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    return String(decoding: text, as: UTF8.self)
  }
}
