"""Makes a cluster `pool` with a service `warm` and COUNT running tasks in a moto server that already runs.

moto_setup.py ENDPOINT COUNT [auth]     with `auth` it prints a key pair, and every signature is verified from then on.
"""
import json, sys, time, urllib.error, urllib.request
import boto3

endpoint, count = sys.argv[1], int(sys.argv[2])
for _ in range(300):
    try:
        urllib.request.urlopen(endpoint + "/moto-api/data.json", timeout=5).read()
        break
    except (urllib.error.URLError, ConnectionError):
        time.sleep(0.1)


def moto(path, data, content_type):
    headers = {"Content-Type": content_type}
    urllib.request.urlopen(urllib.request.Request(endpoint + path, data=data, headers=headers), timeout=10).read()


keys = {"aws_access_key_id": "AKIASETUP", "aws_secret_access_key": "unchecked", "region_name": "eu-west-1"}
ecs = boto3.client("ecs", endpoint_url=endpoint, **keys)
pinned = {"model_name": "ecs::task", "transition": {"progression": "manual", "times": 10**9}}
moto("/moto-api/state-manager/set-transition", json.dumps(pinned).encode(), "application/json")
ecs.create_cluster(clusterName="pool")
ecs.register_task_definition(family="warm", networkMode="bridge",
                             containerDefinitions=[{"name": "w", "image": "scratch", "memory": 16, "cpu": 1}])
ecs.create_service(cluster="pool", serviceName="warm", taskDefinition="warm", desiredCount=count, launchType="FARGATE")
for start in range(0, count, 10):
    ecs.run_task(cluster="pool", taskDefinition="warm", count=min(10, count - start), launchType="FARGATE",
                 startedBy="infrabench", group="service:warm")
key = {"AccessKeyId": "AKIASETUP", "SecretAccessKey": "unchecked"}
if "auth" in sys.argv:
    iam = boto3.client("iam", endpoint_url=endpoint, **keys)
    iam.create_user(UserName="u")
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    iam.put_user_policy(UserName="u", PolicyName="all", PolicyDocument=json.dumps(policy))
    key = iam.create_access_key(UserName="u")["AccessKey"]
    moto("/moto-api/reset-auth", b"0", "text/plain")
print(json.dumps([key["AccessKeyId"], key["SecretAccessKey"]]))
