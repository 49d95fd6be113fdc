/// A group of regions whose hosts have names of their own.
///
/// Source: botocore's `partitions.json`; the regions of `us-gov-*` share their names with `aws`.
public struct Partition: Sendable, Equatable {
  /// `aws`, `aws-cn`, …: the second part of an ARN.
  public var name: String
  /// What the hosts end with, `amazonaws.com`.
  public var suffix: String
  /// What the hosts that speak IPv6 too end with, `api.aws`.
  public var dualStackSuffix: String

  private static let commercial = Partition(name: "aws", suffix: "amazonaws.com", dualStackSuffix: "api.aws")

  private static let byPrefix: [(prefix: String, partition: Partition)] = [
    (
      "cn-",
      Partition(name: "aws-cn", suffix: "amazonaws.com.cn", dualStackSuffix: "api.amazonwebservices.com.cn")
    ),
    ("us-gov-", Partition(name: "aws-us-gov", suffix: "amazonaws.com", dualStackSuffix: "api.aws")),
    ("us-iso-", Partition(name: "aws-iso", suffix: "c2s.ic.gov", dualStackSuffix: "api.aws.ic.gov")),
    ("us-isob-", Partition(name: "aws-iso-b", suffix: "sc2s.sgov.gov", dualStackSuffix: "api.aws.scloud")),
    ("eu-isoe-", Partition(name: "aws-iso-e", suffix: "cloud.adc-e.uk", dualStackSuffix: "api.cloud-aws.adc-e.uk")),
    ("us-isof-", Partition(name: "aws-iso-f", suffix: "csp.hci.ic.gov", dualStackSuffix: "api.aws.hci.ic.gov")),
    ("eusc-", Partition(name: "aws-eusc", suffix: "amazonaws.eu", dualStackSuffix: "api.amazonwebservices.eu")),
  ]

  /// A region's partition; a region that nobody knows counts to `aws`.
  public init(region: String) {
    self = Partition.byPrefix.first { region.hasPrefix($0.prefix) }?.partition ?? Partition.commercial
  }

  private init(name: String, suffix: String, dualStackSuffix: String) {
    self.name = name
    self.suffix = suffix
    self.dualStackSuffix = dualStackSuffix
  }

  /// Whether `name` has a region's form: it becomes a part of a host's name.
  static func isRegion(_ name: String) -> Bool {
    let isLabel = name.utf8.allSatisfy {
      (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
        || $0 == UInt8(ascii: "-")
    }
    return isLabel && (1...63).contains(name.utf8.count) && !name.hasPrefix("-") && !name.hasSuffix("-")
  }

  /// A service's host in a region.
  func host(service: String, region: String, usesFIPS: Bool, usesDualStack: Bool) -> String {
    // STS has no FIPS hosts of their own in GovCloud: its ordinary ones are (botocore's rules of STS).
    let isPlainlyFIPS = service == "sts" && name == "aws-us-gov" && !usesDualStack
    let label = usesFIPS && !isPlainlyFIPS ? "\(service)-fips" : service
    return "\(label).\(region).\(usesDualStack ? dualStackSuffix : suffix)"
  }
}
