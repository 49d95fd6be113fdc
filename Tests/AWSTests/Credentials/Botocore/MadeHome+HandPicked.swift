import Foundation

extension MadeHome {
  static let handPicked = files + brokenFiles + choices + environments + roles + programs + endpoints

  private static let region = "region = eu-west-1\n"
  private static let environmentKeys = ["AWS_ACCESS_KEY_ID": "ENV", "AWS_SECRET_ACCESS_KEY": "s"]

  // MARK: - How files are read

  private static func credentials(_ name: String, _ text: String) -> MadeHome { MadeHome(name, credentials: text) }

  private static let files: [MadeHome] = [
    credentials("plain", "[default]\n" + keys("PLAIN")),
    MadeHome("both files", config: "[default]\n" + keys("CONFIG"), credentials: "[default]\n" + keys("CREDENTIALS")),
    MadeHome("the config file alone", config: "[default]\n" + keys("CONFIG")),
    credentials("indented", "[default]\n  aws_access_key_id = INDENTED\n  aws_secret_access_key = s\n"),
    credentials("tight", "[default]\naws_access_key_id=TIGHT\naws_secret_access_key=a=b#c;d\n"),
    credentials("colons", "[default]\naws_access_key_id: COLON\naws_secret_access_key: s=t\n"),
    credentials("CRLF", "[default]\r\naws_access_key_id = CRLF\r\naws_secret_access_key = s\r\n"),
    credentials("CR", "[default]\raws_access_key_id = CR\raws_secret_access_key = s\r"),
    credentials(
      "comments and upper case",
      "# c\n; d\n\n[default]\nAWS_ACCESS_KEY_ID = UPPER\n\n  # e\naws_secret_access_key = s\n"),
    credentials("a hash in a value", "[default]\naws_access_key_id = K # mine\naws_secret_access_key = a #b ;c\n"),
    credentials("quotes in a value", "[default]\naws_access_key_id = \"K\"\naws_secret_access_key = 'a # b'\n"),
    MadeHome("a comment behind a region", config: "[default]\nca_bundle = /a #b\n" + region + keys("K")),
    credentials("a comment behind a section", "[default] # mine\n" + keys("K")),
    credentials("brackets in a comment behind a section", "[default] # see [docs]\n" + keys("K")),
    credentials("blanks in a section", "[ default ]\n" + keys("K")),
    credentials("an indented section", "  [default]\n  aws_access_key_id = K\n  aws_secret_access_key = s\n"),
    credentials("a section in upper case", "[Default]\n" + keys("K")),
    credentials("defaults of all sections", "[DEFAULT]\n" + keys("K") + "[default]\naws_session_token = t\n"),
    credentials("defaults without a section", "[DEFAULT]\n" + keys("K")),
    credentials(
      "a line separator in a value", "[default]\naws_access_key_id = K\naws_secret_access_key = a\u{2028}b\n"),
    credentials("a form feed", "[default]\n\u{0c}aws_access_key_id = K\naws_secret_access_key = s\u{0c}\n"),
    credentials("a no-break space", "[default]\naws_access_key_id =\u{a0}K\u{a0}\naws_secret_access_key = s\n"),
    MadeHome(
      "nested settings",
      config: "[default]\ns3 =\n  aws_access_key_id = NESTED\n  signature_version = s3v4\n" + keys("AFTERNESTED")),
    MadeHome("a value on the next line", config: "[default]\nregion =\n  eu = west\n" + keys("K")),
    MadeHome("an empty region", config: "[default]\nregion =\n" + keys("K")),
    credentials("a token of each name", "[default]\n" + keys("K") + "aws_session_token = a\naws_security_token = b\n"),
    credentials("an old token", "[default]\n" + keys("K") + "aws_security_token = b\n"),
    credentials("a key alone", "[default]\naws_access_key_id = HALF\n"),
    MadeHome(
      "a secret alone in the credentials file", config: "[default]\n" + keys("K"),
      credentials: "[default]\naws_secret_access_key = s\n"),
    credentials("a secret alone", "[default]\naws_secret_access_key = s\n"), MadeHome("nothing"),
    MadeHome(
      "halves in different files", config: "[default]\naws_access_key_id = K\n",
      credentials: "[default]\naws_secret_access_key = s\n"),
  ]

  private static let brokenFiles: [MadeHome] = [
    credentials("a byte order mark", "\u{feff}[default]\n" + keys("K")),
    MadeHome("a byte order mark in the config file", config: "\u{feff}[default]\n" + region + keys("K")),
    MadeHome("UTF-16", credentials: "[default]\n" + keys("K"), encoding: .utf16),
    MadeHome("Latin-1", credentials: "# clé\n[default]\n" + keys("K"), encoding: .isoLatin1),
    credentials("a section twice", "[default]\naws_access_key_id = K\n[default]\naws_secret_access_key = s\n"),
    credentials("a setting twice", "[default]\naws_access_key_id = OLD\n" + keys("K")),
    credentials("a line that is none", "[default]\nno setting\n" + keys("K")),
    credentials("a line before the first section", "mine\n[default]\n" + keys("K")),
    MadeHome(
      "another profile's section twice",
      config: "[profile x]\nregion = a\n[profile x]\nregion = b\n[default]\n" + region + keys("K")),
  ]

  // MARK: - Which profile is meant

  private static let choices: [MadeHome] = [
    MadeHome("a profile", config: "[profile p]\n" + region + keys("PROFILE"), ["AWS_PROFILE": "p"]),
    MadeHome("the old variable of the profile", config: "[profile p]\n" + keys("P"), ["AWS_DEFAULT_PROFILE": "p"]),
    MadeHome(
      "both variables of the profile", config: "[profile p]\n" + keys("P") + "[profile q]\n" + keys("Q"),
      ["AWS_PROFILE": "p", "AWS_DEFAULT_PROFILE": "q"]),
    MadeHome("no profile of the old variable", credentials: "[default]\n" + keys("K"), ["AWS_DEFAULT_PROFILE": "p"]),
    MadeHome("a profile with blanks", config: "[profile \"a b\"]\n" + keys("QUOTED"), ["AWS_PROFILE": "a b"]),
    MadeHome("a profile in single quotes", config: "[profile 'a b']\n" + keys("QUOTED"), ["AWS_PROFILE": "a b"]),
    MadeHome("blanks about a profile", config: "[profile   spaced ]\n" + keys("SPACED"), ["AWS_PROFILE": "spaced"]),
    MadeHome("a tab before a profile", config: "[profile\tp]\n" + keys("TAB"), ["AWS_PROFILE": "p"]),
    MadeHome("a plural", config: "[profiles p]\n" + keys("PLURAL"), ["AWS_PROFILE": "p"]),
    MadeHome(
      "an open quote", config: "[profile 'p]\n" + keys("OPEN") + "[profile p]\n" + keys("P"), ["AWS_PROFILE": "p"]),
    MadeHome(
      "a profile of the credentials file", config: "[p]\n" + keys("NO"), credentials: "[p]\n" + keys("YES"),
      ["AWS_PROFILE": "p"]),
    MadeHome("no such profile", config: "[p]\n" + keys("NO"), ["AWS_PROFILE": "p"]),
    MadeHome(
      "the word in the credentials file", credentials: "[profile p]\n" + keys("WORD"), ["AWS_PROFILE": "p"]),
    MadeHome(
      "a profile of both files", config: "[profile p]\nregion = eu-north-1\n", credentials: "[p]\n" + keys("BOTH"),
      ["AWS_PROFILE": "p"]),
    MadeHome(
      "a region in the credentials file", config: "[default]\nregion = a\n",
      credentials: "[default]\nregion = b\n" + keys("K")),
    MadeHome("[default] last", config: "[profile default]\n" + keys("A") + "[default]\n" + region + keys("B")),
    MadeHome("[profile default] last", config: "[default]\n" + keys("A") + "[profile default]\n" + region + keys("B")),
    MadeHome(
      "[profile default] last and without keys", config: "[default]\n" + keys("A") + "[profile default]\n" + region),
    MadeHome("one profile twice", config: "[profile p]\n" + keys("A") + "[profile 'p']\n" + keys("B"), profile: "p"),
    MadeHome("a flag", credentials: "[p]\n" + keys("P"), environmentKeys, profile: "p"),
    MadeHome("a flag for the default", credentials: "[default]\n" + keys("P"), environmentKeys, profile: "default"),
    MadeHome("an empty variable of the profile", credentials: "[default]\n" + keys("K"), ["AWS_PROFILE": ""]),
  ]

  // MARK: - The environment

  private static let environments: [MadeHome] = [
    MadeHome("keys of the environment", credentials: "[default]\n" + keys("FILE"), environmentKeys),
    MadeHome(
      "keys of the environment and a profile", config: "[profile p]\n" + region + keys("PROFILE"),
      environmentKeys.merging(["AWS_PROFILE": "p"]) { $1 }),
    MadeHome(
      "empty keys", credentials: "[default]\n" + keys("FILE"),
      ["AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""]),
    MadeHome("a session token", environmentKeys.merging(["AWS_SESSION_TOKEN": "t"]) { $1 }),
    MadeHome("a security token", environmentKeys.merging(["AWS_SECURITY_TOKEN": "t"]) { $1 }),
    MadeHome("both tokens", environmentKeys.merging(["AWS_SECURITY_TOKEN": "a", "AWS_SESSION_TOKEN": "b"]) { $1 }),
    MadeHome("an end", environmentKeys.merging(["AWS_CREDENTIAL_EXPIRATION": "2034-05-06T07:08:09+00:00"]) { $1 }),
    MadeHome("an end that is none", environmentKeys.merging(["AWS_CREDENTIAL_EXPIRATION": "never"]) { $1 }),
    MadeHome("a key of the environment alone", credentials: "[default]\n" + keys("K"), ["AWS_ACCESS_KEY_ID": "ENV"]),
    MadeHome(
      "a secret of the environment alone", credentials: "[default]\n" + keys("K"), ["AWS_SECRET_ACCESS_KEY": "s"]),
    MadeHome("a line break", environmentKeys.merging(["AWS_SECRET_ACCESS_KEY": "s\n"]) { $1 }),
    MadeHome("the old region", environmentKeys.merging(["AWS_DEFAULT_REGION": "eu-north-1"]) { $1 }),
    MadeHome("the region", environmentKeys.merging(["AWS_REGION": "eu-north-1", "AWS_DEFAULT_REGION": "x"]) { $1 }),
    MadeHome(
      "a home in a bundle's path", config: "[default]\nca_bundle = ~/a b.pem\n" + keys("K")),
    MadeHome("a bundle", config: "[default]\nca_bundle = /a\n" + keys("K"), ["AWS_CA_BUNDLE": "~/b.pem"]),
    MadeHome(
      "files elsewhere", credentials: "[default]\n" + keys("HERE"),
      ["AWS_SHARED_CREDENTIALS_FILE": "~/other/keys", "AWS_CONFIG_FILE": "~/other/config"],
      files: ["other/keys": "[default]\n" + keys("THERE"), "other/config": "[default]\n" + region]),
    MadeHome(
      "variables in a path", ["AWS_SHARED_CREDENTIALS_FILE": "$PLACE/${KIND}s", "PLACE": "HOME", "KIND": "key"],
      files: ["keys": "[default]\n" + keys("THERE")]),
    MadeHome(
      "a variable that is not set", credentials: "[default]\n" + keys("HERE"),
      ["AWS_SHARED_CREDENTIALS_FILE": "HOME/$NOPLACE/keys"]),
    MadeHome("a container", region(in: ["AWS_CONTAINER_CREDENTIALS_FULL_URI": "SERVER/container"])),
    MadeHome(
      "a container and a file", credentials: "[default]\n" + keys("FILE"),
      ["AWS_CONTAINER_CREDENTIALS_FULL_URI": "SERVER/container"]),
  ]

  private static func region(in environment: [String: String]) -> [String: String] {
    environment.merging(["AWS_DEFAULT_REGION": "eu-west-1"]) { $1 }
  }

  // MARK: - Roles

  private static let base = "[profile base]\n" + keys("BASE")
  private static let web = region(in: [
    "AWS_WEB_IDENTITY_TOKEN_FILE": "HOME/token", "AWS_ROLE_ARN": "arn:aws:iam::1:role/web",
  ])
  private static let token = ["token": "s3cr3t"]

  private static func role(_ name: String, _ settings: String) -> String {
    "role_arn = arn:aws:iam::1:role/\(name)\n" + region + settings + "\n"
  }

  private static let roles: [MadeHome] = [
    MadeHome("a role", config: "[profile p]\n" + role("own", "source_profile = base") + base, profile: "p"),
    MadeHome("a role of the default profile", config: "[default]\n" + role("own", "source_profile = base") + base),
    MadeHome(
      "a chain of roles",
      config: "[profile p]\n" + role("top", "source_profile = q") + "[profile q]\n"
        + role("middle", "source_profile = base")
        + base, ["AWS_PROFILE": "p"]),
    MadeHome("a role by its own keys", config: "[default]\n" + role("own", "source_profile = default") + keys("K")),
    MadeHome("a role of itself", config: "[default]\n" + role("own", "source_profile = default")),
    MadeHome(
      "a circle",
      config: "[default]\n" + role("a", "source_profile = q") + "[profile q]\n" + role("b", "source_profile = default")),
    MadeHome("a role by nobody", config: "[default]\n" + role("own", "") + keys("K")),
    MadeHome("a role by a stranger", config: "[default]\n" + role("own", "source_profile = none") + keys("K")),
    MadeHome(
      "a role by the environment", config: "[profile p]\n" + role("own", "credential_source = Environment"),
      environmentKeys, profile: "p"),
    MadeHome(
      "a role by the container", config: "[default]\n" + role("own", "credential_source = EcsContainer"),
      ["AWS_CONTAINER_CREDENTIALS_FULL_URI": "SERVER/container"]),
    MadeHome(
      "a role by a program",
      config: "[default]\n" + role("own", "source_profile = q") + "[profile q]\n"
        + process(#"{"Version":1,"AccessKeyId":"Q","SecretAccessKey":"s"}"#)),
    MadeHome(
      "a role by a profile with half a key",
      config: "[default]\n" + role("own", "source_profile = q") + "[profile q]\n" + role("q", "source_profile = base")
        + "aws_secret_access_key = s\n" + base),
    MadeHome("web identity", web, files: token),
    MadeHome("web identity and keys of a file", credentials: "[default]\n" + keys("K"), web, files: token),
    MadeHome(
      "web identity and keys of the environment", web.merging(environmentKeys) { $1 }, files: token),
    MadeHome(
      "web identity and a role", config: "[default]\n" + role("own", "source_profile = base") + base, web, files: token),
    MadeHome("web identity and a flag", credentials: "[p]\n" + keys("K"), web, profile: "p", files: token),
    MadeHome(
      "web identity of a profile",
      config: "[default]\n" + role("own", "web_identity_token_file = HOME/token\nsource_profile = base"),
      files: token),
    MadeHome(
      "web identity of both", config: "[default]\n" + role("own", "web_identity_token_file = HOME/none"), web,
      files: token),
    MadeHome(
      "a token file of the environment and a role of the profile",
      config: "[default]\n" + role("own", "web_identity_token_file = HOME/none"),
      ["AWS_WEB_IDENTITY_TOKEN_FILE": "HOME/token"], files: token),
    MadeHome(
      "a token file without a role", credentials: "[default]\n" + keys("K"),
      ["AWS_WEB_IDENTITY_TOKEN_FILE": "HOME/token"], files: token),
    MadeHome(
      "a role without a token file", credentials: "[default]\n" + keys("K"), ["AWS_ROLE_ARN": "arn:aws:iam::1:role/web"]
    ),
    MadeHome(
      "a role by web identity",
      config: "[profile p]\n" + role("top", "source_profile = q") + "[profile q]\n"
        + role("q", "web_identity_token_file = HOME/token"), profile: "p", files: token),
  ]

  // MARK: - Programs

  private static func process(_ document: String) -> String {
    "credential_process = /bin/echo '\(document)'\n" + region
  }

  private static func ending(_ end: String) -> MadeHome {
    MadeHome(
      "a program's end \(end)",
      config: "[default]\n"
        + process(#"{"Version":1,"AccessKeyId":"P","SecretAccessKey":"s","SessionToken":"t","Expiration":"\#(end)"}"#))
  }

  private static let programs: [MadeHome] =
    [
      MadeHome(
        "a shell's program",
        config:
          "[default]\ncredential_process = /bin/sh -c \"echo '{\\\"Version\\\":1,\\\"AccessKeyId\\\":\\\"PROCESS\\\",\\\"SecretAccessKey\\\":\\\"s\\\"}'\"\n"
      ),
      MadeHome(
        "a program and keys of the credentials file", config: "[default]\n" + process("{}") + keys("CONFIG"),
        credentials: "[default]\n" + keys("CREDS")),
      MadeHome(
        "a program and keys of the config file",
        config: "[default]\n" + process(#"{"Version":1,"AccessKeyId":"P","SecretAccessKey":"s"}"#) + keys("CONFIG")),
      MadeHome("a program without a key", config: "[default]\n" + process(#"{"Version":1}"#) + keys("K")),
      MadeHome(
        "a program without a version", config: "[default]\n" + process(#"{"AccessKeyId":"P","SecretAccessKey":"s"}"#)),
      MadeHome(
        "a program with nulls",
        config: "[default]\n"
          + process(#"{"Version":1,"AccessKeyId":"P","SecretAccessKey":"s","SessionToken":null,"Expiration":null}"#)),
      MadeHome("a sign-in and keys", config: "[default]\n" + sso + keys("K") + session),
      MadeHome(
        "a session without an account and keys", config: "[default]\nsso_session = corp\n" + keys("K") + session),
      MadeHome(
        "a sign-in that a program does",
        config: "[default]\n" + sso + process(#"{"Version":1,"AccessKeyId":"P","SecretAccessKey":"s"}"#) + session),
    ] + ends.map(ending)

  private static let sso = "sso_session = corp\nsso_account_id = 1\nsso_role_name = r\n"
  private static let session = "[sso-session corp]\nsso_start_url = http://127.0.0.1:9/\nsso_region = eu-west-1\n"

  static let ends = [
    "2034-05-06T07:08:09Z", "2034-05-06T07:08:09UTC", "2034-05-06 07:08:09 UTC", "2034-05-06T07:08:09",
    "20340506T070809Z", "20340506T070809.5+0100", "Sat, 06 May 2034 07:08:09 GMT", "06 May 2034 07:08:09 +0100",
    "2034-05-06T07:08:09+01:00", "2034-05-06T07:08:09-0530", "2034-05-06T07:08:09+1", "2034-05-06T07:08:09.123456789Z",
    "2034-05-06T07:08:09,5Z", "2034-05-06T07:08Z", "2034-05-06t07:08:09z", "2034-05-06T24:00:00Z",
    "2034-02-30T07:08:09Z", "2034-05-06T07:08:60Z", "2034-05-06T07:08:09+25:00", "2034-05-06T07:08:09.Z", "2030999999",
    "2034-05-06 07:08:09 +0000 UTC",
  ]

  // MARK: - Endpoints

  private static let endpoints: [MadeHome] =
    [
      MadeHome("a profile's endpoint", config: "[default]\nendpoint_url = http://profile\n" + keys("K")),
      MadeHome(
        "a service's endpoint",
        config: "[default]\nservices = x\nendpoint_url = http://profile\n" + keys("K")
          + "[services x]\nsts =\n  endpoint_url = http://sts\necs =\n  endpoint_url = http://services\n"),
      MadeHome("no section of services", config: "[default]\nservices = x\n" + keys("K")),
      MadeHome(
        "the environment's endpoint", config: "[default]\nendpoint_url = http://profile\n" + keys("K"),
        ["AWS_ENDPOINT_URL": "http://env"]),
      MadeHome(
        "both endpoints of the environment", credentials: "[default]\n" + keys("K"),
        ["AWS_ENDPOINT_URL": "http://env", "AWS_ENDPOINT_URL_ECS": "http://ecs"]),
      MadeHome(
        "endpoints passed over", config: "[default]\nendpoint_url = http://profile\n" + keys("K"),
        ["AWS_ENDPOINT_URL": "http://env", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"]),
      MadeHome(
        "endpoints passed over by the profile",
        config: "[default]\nignore_configured_endpoint_urls = true\nendpoint_url = http://p\n" + keys("K")),
      MadeHome(
        "FIPS", config: "[default]\nuse_fips_endpoint = true\n" + keys("K"), ["AWS_DEFAULT_REGION": "us-gov-west-1"]),
      MadeHome(
        "dual stack", config: "[default]\nuse_dualstack_endpoint = true\n" + keys("K"),
        ["AWS_DEFAULT_REGION": "eu-west-1"]),
      MadeHome(
        "FIPS and dual stack", credentials: "[default]\n" + keys("K"),
        region(in: ["AWS_USE_DUALSTACK_ENDPOINT": "true", "AWS_USE_FIPS_ENDPOINT": "true"])),
    ]
    + [
      "us-east-1", "cn-northwest-1", "us-gov-east-1", "us-iso-west-1", "us-isob-east-1", "eu-isoe-west-1",
      "us-isof-south-1", "eusc-de-east-1", "mars-north-9",
    ].map { MadeHome("region \($0)", credentials: "[default]\n" + keys("K"), ["AWS_DEFAULT_REGION": $0]) }
}
