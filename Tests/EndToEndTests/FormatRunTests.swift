import ProcessControl
import TestSupport
import Testing

@testable import InfraBench
@testable import Results

/// Every format of a real run, in files of one name, read by others.
@Suite(.timeLimit(.minutes(2))) struct FormatRunTests {
  private static let script = """
    import csv, json, sys
    from prometheus_client.openmetrics.parser import text_fd_to_metric_families as parse_new
    from prometheus_client.parser import text_fd_to_metric_families as parse_old
    document = json.load(open(sys.argv[1] + ".json"))
    rows = list(csv.DictReader(open(sys.argv[1] + ".csv", newline="", encoding="utf-8"), strict=True))
    for parse in (parse_new, parse_old):
        samples = {}
        for family in parse(open(sys.argv[1] + ".prom", newline="\\n", encoding="utf-8")):
            for sample in family.samples:
                samples.setdefault(sample.name, []).append(sample)
        for name, number in document["counters"].items():
            assert samples["infrabench_" + name + "_total"][0].value == number, name
            assert [r["value"] for r in rows if r["kind"] == "counter" and r["name"] == name] == [str(number)], name
        for name, metric in document["metrics"].items():
            prefix = "infrabench_" + name + "_seconds"
            assert samples[prefix + "_count"][0].value == metric["count"], name
            assert abs(samples[prefix + "_sum"][0].value - metric["mean"] * metric["count"] / 1000) < 1e-9, name
            assert samples[prefix + "_bucket"][-1].value == metric["count"], name
            for statistic in ("count", "mean", "stddev", "min", "p50", "p90", "p95", "p99", "p999", "max"):
                found = [r["value"] for r in rows
                         if r["kind"] == "metric" and r["name"] == name and r["statistic"] == statistic]
                assert len(found) == 1 and float(found[0]) == metric[statistic], (name, statistic)
        assert all(s.labels["tool"] == document["tool"] for group in samples.values() for s in group)
    points = sum(1 for p in document.get("timeline", []) for k, v in p.items() if k not in ("t", "metric") and v is not None)
    assert sum(1 for r in rows if r["kind"] == "timeline") == points, points
    print("agreed")
    """

  @Test(
    .enabled(
      if: Python.canImport("prometheus_client"),
      "needs Python's prometheus_client; INFRABENCH_PYTHON names an interpreter"),
    arguments: [
      ("bench-api", ["--iterations", "5"]),
      ("bench-dirinit", ["--count", "5"]),
      ("bench-exhaustion", ["--poll-interval", "20ms"] + BenchRun.smallPool),
    ])
  func allFormatsOfARunAgree(tool: String, options: [String]) async throws {
    let result = try await BenchRun.run(
      tool, options + ["--format", "openmetrics,csv,md,json", "--label", "=größe, \"x\""])
    let names = result.files().keys.sorted()
    let stems = Set(names.map { $0.prefix { $0 != "." } })
    #expect(
      stems.count == 1 && names.map { $0.split(separator: ".").last } == ["csv", "json", "md", "prom"], "\(names)")
    let read = try await Python.run(["-c", Self.script, result.scratch("results/\(stems.first ?? "")")])
    #expect(read.output == "agreed\n", "\(read.output)")
    #expect(try result.file("csv").contains(",\"'=größe, \"\"x\"\"\","))
    #expect(try result.file("prom").contains(#"label="=größe, \"x\"",target="#))
  }
}
