"""What botocore finds in each home of a JSON file: [{"environment": {…}, "profile": null or a name}, …].

One JSON line: for each home what of key, secret, token, expiration (seconds since 1970), region, bundle, profile and url
(ECS's) there is, and the error instead of credentials.
"""
import json
import os
import sys

import botocore.loaders
import botocore.session

loader = botocore.loaders.create_loader()
answers = []
for home in json.load(open(sys.argv[1])):
    os.environ.clear()
    os.environ.update(home["environment"])
    answer = {}
    answers.append(answer)
    try:
        session = botocore.session.Session(profile=home.get("profile"))
        session.register_component("data_loader", loader)
        answer["profile"] = session.get_config_variable("profile") or "default"
        # Indented lines below a name are a dictionary, and no region.
        for part, name in (("region", "region"), ("bundle", "ca_bundle")):
            value = session.get_config_variable(name)
            answer[part] = value if isinstance(value, str) else None
        region = os.environ.get("AWS_REGION") or answer["region"] or "us-east-1"
        answer["url"] = session.create_client("ecs", region_name=region, verify=False).meta.endpoint_url
    except Exception as error:
        answer["error"] = repr(error)
        continue
    try:
        credentials = session.get_credentials()
        if credentials is None:
            continue
        frozen = credentials.get_frozen_credentials()
        # Of those that are renewed alone, and set by the line before.
        end = getattr(credentials, "_expiry_time", None)
        answer.update(key=frozen.access_key, secret=frozen.secret_key, token=frozen.token)
        answer["expiration"] = int(end.timestamp()) if end else None
    except Exception as error:
        answer["error"] = repr(error)
print(json.dumps(answers))
