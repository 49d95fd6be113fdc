"""Drives the embedded gateway's ECS endpoint with boto3. boto3_client.py ENDPOINT KEY SECRET; prints `ok` at the end."""
import sys
import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

endpoint, key, secret = sys.argv[1:4]
config = Config(retries={"mode": "standard", "max_attempts": 1})


def client(secret):
    return boto3.client("ecs", endpoint_url=endpoint, region_name="eu-west-1", config=config,
                        aws_access_key_id=key, aws_secret_access_key=secret)


def refused(code, call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        assert error.response["Error"]["Code"] == code, error.response
        assert len(error.response["ResponseMetadata"]["RequestId"]) == 36, error.response
    else:
        raise AssertionError(f"{code} was expected")


ecs = client(secret)
pages = list(ecs.get_paginator("list_tasks").paginate(cluster="pool", serviceName="warm", desiredStatus="RUNNING"))
assert [len(page["taskArns"]) for page in pages] == [100, 100, 50], pages
arns = [arn for page in pages for arn in page["taskArns"]]
assert len(set(arns)) == 250

described = ecs.describe_tasks(cluster="pool", tasks=arns[:99] + ["missing"])
assert len(described["tasks"]) == 99 and described["failures"][0]["reason"] == "MISSING", described["failures"]
task = described["tasks"][0]
assert task["lastStatus"] == "RUNNING" and task["group"] == "service:warm" and task["startedBy"] == "ecs-svc/1234", task
assert abs(task["startedAt"].timestamp() - 1770000003.75) < 1e-6, task["startedAt"]

services = ecs.describe_services(cluster="pool", services=["warm", "none"])
assert services["services"][0]["runningCount"] == 250 and services["failures"][0]["reason"] == "MISSING", services
assert ecs.update_service(cluster="pool", service="warm", desiredCount=7)["service"]["desiredCount"] == 7

stopped = ecs.stop_task(cluster="pool", task=arns[0], reason="because")["task"]
assert stopped["desiredStatus"] == "STOPPED" and stopped["stoppedReason"] == "because", stopped
assert ecs.list_tasks(cluster="pool", desiredStatus="STOPPED")["taskArns"] == [arns[0]]
started = ecs.run_task(cluster="pool", taskDefinition="shell", count=3, startedBy="boto")
assert [t["lastStatus"] for t in started["tasks"]] == ["PROVISIONING"] * 3, started
assert len(ecs.list_tasks(cluster="pool", startedBy="boto", desiredStatus="RUNNING")["taskArns"]) == 3

refused("ClusterNotFoundException", ecs.list_tasks, cluster="none")
refused("ServiceNotFoundException", ecs.list_tasks, cluster="pool", serviceName="none")
refused("InvalidParameterException", ecs.list_tasks, cluster="pool", nextToken="forged")
refused("UnknownOperationException", ecs.list_clusters)
refused("InvalidSignatureException", client("wrong").list_tasks, cluster="pool")
print("ok")
