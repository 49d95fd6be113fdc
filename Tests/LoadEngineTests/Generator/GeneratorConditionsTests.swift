import Latency
import TestSupport
import Testing

@testable import LoadEngine

@Suite struct GeneratorConditionsTests {
  private typealias Reading = GeneratorConditions.Reading
  private typealias Processors = GeneratorConditions.Processors

  private let begin = Reading(at: 0, cpu: MachineCPUTime(total: 1000, stolen: 100), involuntarySwitches: 50)

  private func end(seconds: UInt64 = 10, ticks: UInt64 = 2000, stolen: UInt64 = 0, switches: UInt64 = 0) -> Reading {
    Reading(
      at: .distantPast + .seconds(seconds), cpu: MachineCPUTime(total: 1000 + ticks, stolen: 100 + stolen),
      involuntarySwitches: 50 + switches)
  }

  private func notes(
    _ end: Reading, online: Set<Int> = [0, 1], allowed: Set<Int> = [0, 1], governors: [Int: String] = [:],
    target: GeneratorConditions.TargetLocation = .elsewhere, isGateway: Bool = true
  ) -> [String] {
    GeneratorConditions.notes(
      from: begin, to: end, processors: Processors(online: online, allowed: allowed, governors: governors),
      target: target, isGateway: isGateway)
  }

  @Test func aQuietMachineGivesNoNote() {
    #expect(notes(end(stolen: 20, switches: 1000), governors: [0: "performance", 1: "performance"]) == [])
  }

  @Test func stealOverOnePercentIsNoted() {
    let noted = notes(end(stolen: 64))
    #expect(noted.count == 1 && noted[0].contains("3.2 % of the CPU time"))
    #expect(notes(end(ticks: 50, stolen: 50)) == [], "a single tick of few says nothing")
    #expect(notes(Reading(at: 1, cpu: nil, involuntarySwitches: 50)) == [])
  }

  @Test func moreThanAHundredPreemptionsASecondAreNoted() {
    let noted = notes(end(switches: 1234))
    #expect(noted.count == 1 && noted[0].contains("123 times a second"))
    #expect(notes(end(seconds: 0, switches: 100)) == [])
    #expect(notes(end(seconds: 0, switches: 101)).count == 1)
  }

  @Test func figuresThatGoBackwardsGiveNoNoteAndNoTrap() {
    let earlier = Reading(at: 0, cpu: MachineCPUTime(total: 0, stolen: 0), involuntarySwitches: 0)
    #expect(notes(earlier) == [])
    let absurd = Reading(
      at: 1, cpu: MachineCPUTime(total: 1100, stolen: .max), involuntarySwitches: .max)
    #expect(notes(absurd).count == 2)
  }

  @Test func anyOtherGovernorIsNoted() {
    let noted = notes(end(), governors: [0: "performance", 1: "powersave"])
    #expect(noted.count == 1 && noted[0].contains("of 1 of 2 cores is powersave"))
  }

  struct Sharing: Sendable {
    var target: GeneratorConditions.TargetLocation
    var online: Set<Int>
    var allowed: Set<Int>
    var said: [String]?
    var isGateway = true
  }

  static let sharings = [
    Sharing(target: .elsewhere, online: [0, 1], allowed: [0, 1], said: nil),
    Sharing(target: .loopback, online: [0, 1], allowed: [0, 1], said: ["share 2 cores", "-c 0 ", "-c 1'"]),
    Sharing(target: .loopback, online: [0, 1], allowed: [1], said: nil),
    Sharing(target: .loopback, online: [0, 1, 2, 3], allowed: [0, 1, 2, 3], said: ["share 4 cores", "-c 1-3'"]),
    Sharing(target: .loopback, online: [0], allowed: [0], said: ["share 1 core,", "another machine"]),
    Sharing(target: .ownChild, online: [0, 1], allowed: [1], said: ["share 1 core,", "taskset", "--gateway-url"]),
    Sharing(target: .ownChild, online: [], allowed: [], said: ["share 0 cores"]),
    Sharing(target: .elsewhere, online: [0, 1], allowed: [0, 1], said: nil, isGateway: false),
    Sharing(
      target: .loopback, online: [0, 1], allowed: [0, 1], said: ["share 2 cores", "of its own with taskset"],
      isGateway: false),
    Sharing(
      target: .ownChild, online: [0, 1], allowed: [0, 1], said: ["only a target on another machine"], isGateway: false),
  ]

  @Test(arguments: sharings) func aTargetOnTheSameCoresIsNoted(_ sharing: Sharing) {
    let noted = notes(
      end(), online: sharing.online, allowed: sharing.allowed, target: sharing.target, isGateway: sharing.isGateway)
    #expect(noted.count == (sharing.said == nil ? 0 : 1))
    for part in sharing.said ?? [] { #expect(noted.first?.contains(part) ?? false, "\(noted)") }
    // What has no gateway has no option for one.
    if !sharing.isGateway {
      for part in ["gateway", "taskset -c"] { #expect(!noted.joined().contains(part), "\(noted)") }
    }
  }

  @Test func thisMachineIsRead() {
    let conditions = GeneratorConditions()
    #expect(
      conditions.notes(target: .ownChild, isGateway: true).contains { $0.hasPrefix("target and load generator share") })
    #expect(MachineCPUTime.current() != nil)
    let (online, allowed) = (ProcessorSet.online() ?? [], ProcessorSet.allowed() ?? [])
    #expect(!allowed.isEmpty && allowed.isSubset(of: online))
  }
}
