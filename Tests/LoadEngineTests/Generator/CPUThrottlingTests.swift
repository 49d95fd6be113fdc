import Latency
import Testing

@testable import LoadEngine

/// What the kernel tells of CPU quotas.
@Suite struct CPUThrottlingTests {
  private static let version2 = """
    usage_usec 123
    user_usec 100
    system_usec 23
    nr_periods 40
    nr_throttled 31
    throttled_usec 2500
    nr_bursts 0
    """

  static let files: [(String, CPUThrottling?)] = [
    (version2, CPUThrottling(allPeriods: 40, periods: 31, time: 2_500_000)),
    ("nr_periods 40\nnr_throttled 31\nthrottled_time 2500\n", CPUThrottling(allPeriods: 40, periods: 31, time: 2500)),
    ("nr_throttled 0\nthrottled_time 0", CPUThrottling()), ("", nil), ("usage_usec 1\nuser_usec 1\n", nil),
    ("nr_throttled 1\n", nil), ("nr_throttled x\nthrottled_usec 1\n", nil), ("throttled_usec -1\nnr_throttled 1", nil),
    ("nr_throttled 1 2\nthrottled_usec 1", nil),
  ]

  @Test(arguments: files) func cpuStatIsParsed(_ text: String, _ expected: CPUThrottling?) {
    #expect(CPUThrottling.parse(text) == expected)
  }

  @Test func aCounterThatWasSetBackIsNoUnderflow() {
    let later = CPUThrottling(periods: 5, time: 50)
    #expect(later.since(CPUThrottling(periods: 3, time: 20)) == CPUThrottling(periods: 2, time: 30))
    #expect(later.since(CPUThrottling(periods: 9, time: 90)) == CPUThrottling())
  }

  @Test func theTimesOfManyCPUsAreNoMoreThanThePeriodsAllow() {
    // 16 CPUs were kept from running for 10 ms each in one period of ten.
    let throttling = CPUThrottling(allPeriods: 10, periods: 1, time: 160_000_000)
    #expect(throttling.share(of: .seconds(1)) == 0.1)
    #expect(CPUThrottling(allPeriods: 10, periods: 10, time: 870_000_000).share(of: .seconds(1)) == 0.87)
    #expect(CPUThrottling().share(of: .seconds(1)) == 0 && throttling.share(of: 0) == 0)
  }

  private static let mountsOfVersion1 = """
    22 1 0:21 / /proc rw shared:1 - proc proc rw
    32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct
    33 31 0:30 / /sys/fs/cgroup/cpuset rw,relatime - cgroup cgroup rw,cpuset
    """
  private static let mountOfVersion2 = "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw\n"

  @Test func theGroupAndThoseAboveItAreAsked() {
    #expect(
      CPUQuotaFiles.find(groups: "0::/user.slice/run.scope\n", mounts: Self.mountOfVersion2) == [
        "/sys/fs/cgroup/user.slice/run.scope/cpu.stat", "/sys/fs/cgroup/user.slice/cpu.stat", "/sys/fs/cgroup/cpu.stat",
      ])
    #expect(
      CPUQuotaFiles.find(
        groups: "4:cpuset:/other\n3:cpu,cpuacct:/docker/abc\n1:name=systemd:/x\n", mounts: Self.mountsOfVersion1) == [
          "/sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.stat", "/sys/fs/cgroup/cpu,cpuacct/docker/cpu.stat",
          "/sys/fs/cgroup/cpu,cpuacct/cpu.stat",
        ])
  }

  @Test func aContainerSeesItsOwnGroupAtTheMountPoint() {
    let mounts = "32 31 0:29 /docker/abc /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu\n"
    #expect(CPUQuotaFiles.find(groups: "3:cpu:/docker/abc\n", mounts: mounts) == ["/sys/fs/cgroup/cpu/cpu.stat"])
    // With a namespace of its own it is told that it is at the top, or somewhere above it.
    #expect(CPUQuotaFiles.find(groups: "0::/\n", mounts: Self.mountOfVersion2) == ["/sys/fs/cgroup/cpu.stat"])
    #expect(
      CPUQuotaFiles.find(groups: "0::/../x\n", mounts: Self.mountOfVersion2) == [
        "/sys/fs/cgroup/x/cpu.stat", "/sys/fs/cgroup/cpu.stat",
      ])
  }

  @Test(arguments: ["", "::", "0:/x", "a b c", "0::x", "3:cpuset:/x", String(repeating: ":", count: 1000)])
  func whatIsNoGroupHasNoFiles(_ groups: String) {
    #expect(CPUQuotaFiles.find(groups: groups, mounts: Self.mountOfVersion2 + Self.mountsOfVersion1) == [])
    #expect(CPUQuotaFiles.find(groups: "0::/x", mounts: groups) == [])
  }
}
