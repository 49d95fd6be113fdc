import Latency

/// The parts of a page that show latencies.
extension ResultHTML {
  /// The spectra, and the table of percentiles.
  var latencies: HTML {
    guard !document.metrics.isEmpty else { return HTML.paragraph("There was no sample.") }
    let table =
      HTMLTable("Percentiles of every metric", tables.percentiles).html + HTML.list(tables.legend, class: "legend")
      + sampleNeeds
    guard let chart = SpectrumChart(spectra) else { return table }
    let drawn = Set(chart.lines.map(\.name))
    let left = tables.metrics.map(\.0).filter { !drawn.contains($0) }
    let rest = left.isEmpty ? [] : ["Not drawn, but in the table: \(left.joined(separator: ", "))."]
    return HTMLFigure(
      title: "Percentile spectrum", explanation: SpectrumChart.explanation + rest, picture: chart.picture,
      key: chart.key, table: table
    ).html
  }

  /// Which percentiles another run of this length would not show either.
  private var sampleNeeds: HTML {
    let lines = SampleNeeds(document).lines
    return lines.isEmpty ? "" : HTML.details(SampleNeeds.title, HTML.list(lines))
  }

  /// As many as are drawn, the headline first, set-up last; a histogram that can't be read has no line.
  private var spectra: [SpectrumLine] {
    let headline = tables.headline?.name
    let ordered = tables.metrics.enumerated().sorted { left, right in
      (rank(left.element.0, headline), left.offset) < (rank(right.element.0, headline), right.offset)
    }
    // Decoded one by one: a document may have any number of metrics, and a histogram may be large.
    var lines: [SpectrumLine] = []
    for (_, (name, metric)) in ordered where lines.count < SpectrumChart.mostLines {
      guard let histogram = try? HistogramV2Codec.decode(base64: metric.histogram.data),
        let line = SpectrumLine(name, histogram), line.count >= SpectrumChart.fewestSamples
      else { continue }
      lines.append(line)
    }
    return lines
  }

  private func rank(_ name: String, _ headline: String?) -> Int {
    name == headline ? 0 : MetricOrder.ofSetUp.contains(name) ? 2 : 1
  }

  /// A heat map where the intervals have histograms, else lines; how to get one where there is no timeline.
  var overTime: HTML? {
    let intervals = (document.timeline ?? []).compactMap { LatencyInterval($0) }
    guard !intervals.isEmpty else {
      let isOfLoad = document.parameters["concurrency"] != nil || document.parameters["maxInFlight"] != nil
      guard isOfLoad, document.timeline == nil, !document.metrics.isEmpty else { return nil }
      return HTML.paragraph(
        "This run kept no timeline: --timeline 1s adds the latencies of every second, and a picture of them.")
    }
    let name = document.timeline?.lazy.compactMap { $0["metric"]?.description }.first ?? "latency"
    let table = timelineTable("\(name) by interval")
    if let map = HeatMap(intervals) {
      let merged = map.merged > 1 ? ["A column is \(map.merged) intervals."] : []
      return HTMLFigure(
        title: "\(name) over time",
        explanation: [
          "A column is an interval, a row a range of latencies on a logarithmic axis: the stronger the colour, the more samples."
        ] + merged, picture: map.picture, key: map.key, table: table
      ).html
    }
    if let bands = LatencyBands(intervals) {
      return HTMLFigure(
        title: "\(name) over time", explanation: ["Percentiles of each interval; a gap has no samples."],
        picture: bands.picture, key: bands.key, table: table
      ).html
    }
    return table
  }

  var poolOverTime: HTML? {
    guard let chart = PoolChart(document) else { return nil }
    return HTMLFigure(
      title: "Tasks in the pool",
      explanation: [
        "Each view of the pool as it was looked at: listed and running are ECS's word, warm is the gateway's.",
        "t0 is the end of the drain; the pool was full again somewhere within the shaded stretch marked 'refilled'.",
        "Where a look was missed the line has a gap on a shaded ground.",
        "The lines are drawn a little apart where they lie on one another.",
      ], picture: chart.picture, key: chart.key, table: timelineTable("The pool at every look")
    ).html
  }

  /// Long tables wait to be opened.
  private func timelineTable(_ caption: String) -> HTML {
    guard let (table, notes) = TimelineTable(document).table else { return "" }
    let html = HTMLTable(caption, table).html + HTML.list(notes, class: "legend")
    return table.rows.count > 12 ? HTML.details("The numbers: \(table.rows.count) rows", html) : html
  }

  var phases: HTML? {
    let stacks = PhaseStack.of(document)
    guard !stacks.isEmpty else { return nil }
    var table = HTMLTable("Means of phases", header: ["phase", "of", "mean", "share", "samples"])
    for stack in stacks {
      let whole = stack.whole
      table.add([whole.name, "", Figures.time(milliseconds: whole.milliseconds), "100.0%", "\(whole.count)"])
      for (index, part) in stack.parts.enumerated() {
        let figures = [
          whole.name, Figures.time(milliseconds: part.milliseconds),
          whole.milliseconds > 0 ? Figures.percent(part.milliseconds / whole.milliseconds) : "",
          part.count.map { "\($0)" } ?? "",
        ]
        let name = HTMLTable.Cell(text: part.name, swatch: StackedBars.colour(ofPart: index, in: stack))
        table.add([name] + figures.map { .init(text: $0) })
      }
    }
    var explanation = [
      "Means, because only means add up: percentiles of phases do not make a percentile of the whole.",
      "The thin bar is the whole's own mean; what no phase was measured for is the rest.",
    ]
    for stack in stacks where stack.overlaps {
      explanation.append(
        "The phases of \(stack.whole.name) were found by polling, and each is the longest that the looks allow: they overlap."
      )
    }
    for stack in stacks where stack.excess > 0 {
      explanation.append(
        "Those of \(stack.whole.name) are together \(Figures.time(milliseconds: stack.excess)) longer than the whole.")
    }
    for stack in stacks where !stack.isOfOneCount {
      explanation.append("Not every phase of \(stack.whole.name) was seen each time: see the numbers of samples.")
    }
    return HTMLFigure(
      title: "What the mean is made of", explanation: explanation, picture: HTML(StackedBars.of(stacks).map(\.picture)),
      table: table.html
    ).html
  }

  /// The headline's distribution as bars in a table.
  var distribution: HTML? {
    guard let (name, metric) = tables.headline,
      let histogram = try? HistogramV2Codec.decode(base64: metric.histogram.data), !histogram.isEmpty
    else { return nil }
    return DistributionTable([(name, histogram)]).html
  }

  /// Of streamed answers: the figures, and the distributions over the same ranges.
  var answerTimes: HTML? {
    guard let times = AnswerTimes(document) else { return nil }
    return HTMLTable(AnswerTimes.title, times.table).html + HTML.list(times.remarks, class: "legend")
      + DistributionTable(times.histograms).html
  }
}
