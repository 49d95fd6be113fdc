extension MadeHome {
  /// The homes in which we find something else than botocore, and what: all differences that are meant. A part that is
  /// empty is not found.
  ///
  /// Of `ecs.md`: `AWS_REGION` counts, `AWS_PROFILE` goes before `AWS_DEFAULT_PROFILE`, `AWS_SESSION_TOKEN` before
  /// `AWS_SECURITY_TOKEN`, a time without a zone is UTC, and a broken file is read on where it is clear. The rest is what
  /// follows from other parts of the contract.
  static let meantDifferences: [String: [Found.Part: String]] = [
    "the region": [.region: "eu-north-1"],
    "both variables of the profile": [.profile: "p", .key: "P"],
    "both tokens": [.token: "b"],
    "a program's end 2034-05-06T07:08:09": program(end: 2_030_512_089),
    // As Go writes it.
    "a program's end 2034-05-06 07:08:09 +0000 UTC": program(end: 2_030_512_089),

    "a byte order mark": broken, "a byte order mark in the config file": brokenWithRegion, "UTF-16": broken,
    "Latin-1": broken, "a section twice": broken, "a setting twice": broken, "a line that is none": broken,
    "a line before the first section": broken, "another profile's section twice": brokenWithRegion,

    // An empty variable is none, for every option of the suite.
    "an empty variable of the profile": [.profile: "default", .key: "K", .secret: "s", .url: url],
    // botocore keeps it, and fails when it sends it.
    "a line break": [.key: "", .secret: ""],
    // The remedy that this suite prints for a sign-in: the AWS CLI signs in, and writes the keys.
    "a sign-in that a program does": [.key: "P", .secret: "s"],
  ]

  private static let url = "https://ecs.us-east-1.amazonaws.com/"
  private static let broken: [Found.Part: String] = [.profile: "default", .key: "K", .secret: "s", .url: url]
  private static let brokenWithRegion = broken.merging([
    .region: "eu-west-1", .url: "https://ecs.eu-west-1.amazonaws.com/",
  ]) { $1 }

  private static func program(end: Int) -> [Found.Part: String] {
    [
      .key: "P", .secret: "s", .token: "t", .expiration: "\(end)", .profile: "default",
      .url: "https://ecs.eu-west-1.amazonaws.com/",
    ]
  }
}
