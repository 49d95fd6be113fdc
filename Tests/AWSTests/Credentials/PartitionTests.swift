import Testing

@testable import AWS

@Suite struct PartitionTests {
  @Test(arguments: [
    ("eu-west-1", "aws", "amazonaws.com"), ("mars-north-9", "aws", "amazonaws.com"),
    ("cn-north-1", "aws-cn", "amazonaws.com.cn"), ("us-gov-west-1", "aws-us-gov", "amazonaws.com"),
    ("us-iso-east-1", "aws-iso", "c2s.ic.gov"), ("us-isob-east-1", "aws-iso-b", "sc2s.sgov.gov"),
    ("eu-isoe-west-1", "aws-iso-e", "cloud.adc-e.uk"), ("us-isof-south-1", "aws-iso-f", "csp.hci.ic.gov"),
    ("eusc-de-east-1", "aws-eusc", "amazonaws.eu"),
  ])
  func regionsBelongToPartitions(region: String, name: String, suffix: String) throws {
    #expect(Partition(region: region).name == name)
    #expect(Partition(region: region).suffix == suffix)
    #expect(try ServiceEndpoint(service: "ecs", region: region).url == "https://ecs.\(region).\(suffix)/")
  }

  @Test(arguments: [
    ("ecs", "eu-west-1", true, false, "ecs-fips.eu-west-1.amazonaws.com"),
    ("ecs", "eu-west-1", false, true, "ecs.eu-west-1.api.aws"),
    ("ecs", "cn-north-1", false, true, "ecs.cn-north-1.api.amazonwebservices.com.cn"),
    ("ecs", "us-east-1", true, true, "ecs-fips.us-east-1.api.aws"),
    ("ecs", "us-gov-west-1", true, false, "ecs-fips.us-gov-west-1.amazonaws.com"),
    ("sts", "us-gov-west-1", true, false, "sts.us-gov-west-1.amazonaws.com"),
    ("sts", "us-gov-west-1", true, true, "sts-fips.us-gov-west-1.api.aws"),
    ("sts", "us-east-1", true, false, "sts-fips.us-east-1.amazonaws.com"),
  ])
  func hostsDependOnFIPSAndDualStack(service: String, region: String, fips: Bool, dualStack: Bool, host: String) throws
  {
    let endpoint = try ServiceEndpoint(service: service, region: region, usesFIPS: fips, usesDualStack: dualStack)
    #expect(endpoint.hostHeader == host)
  }

  @Test(
    arguments: [
      (
        ["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true", "AWS_ENDPOINT_URL": "http://b"], nil,
        "https://ecs.r.amazonaws.com/"
      ),
      (["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"], "http://flag", "http://flag/"),
      (["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "false", "AWS_ENDPOINT_URL": "http://b"], nil, "http://b/"),
      ([:], nil, "http://services/"), (["AWS_ENDPOINT_URL": "http://b"], nil, "http://b/"),
      (
        ["AWS_USE_DUALSTACK_ENDPOINT": "TRUE", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"], nil,
        "https://ecs.r.api.aws/"
      ),
    ] as [([String: String], String?, String)])
  func configuredEndpointsCanBeIgnored(environment: [String: String], flag: String?, url: String) throws {
    let config =
      "[default]\nservices = x\nendpoint_url = http://p\n[services x]\necs =\n  endpoint_url = http://services"
    let profile = try #require(SharedProfile(name: "default", config: config, credentials: nil))
    let endpoint = try ServiceEndpoint.resolve(
      service: "ecs", region: "r", flag: flag, environment: environment, profile: profile)
    #expect(endpoint.url == url)
  }
}
