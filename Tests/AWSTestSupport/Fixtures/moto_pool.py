"""Keeps a warm pool of ECS tasks in a moto_server that already runs.

  moto_pool.py ENDPOINT setup  [--count N] [--auth]      moto emptied, then: cluster, service, N RUNNING tasks
  moto_pool.py ENDPOINT drain K                          stops K of them, oldest first
  moto_pool.py ENDPOINT refill [--after S] [--count M]   waits S seconds, starts M (default: up to desiredCount)
  moto_pool.py ENDPOINT cycle K [--after S]              drain, wait, refill
  moto_pool.py ENDPOINT status

--every X paces drain and refill at one task per X seconds. Every event is one line of JSON whose "t" is the wall clock
in seconds: the ground truth for a poller. With --auth, setup makes an IAM key and every signature is verified from then
on; the other actions then need that key in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.

Of moto (5.2): ListTasks ignores serviceName and maxResults, so the cluster holds this service's tasks only; a service
starts no tasks itself; DescribeTasks would walk every task on towards STOPPED unless its state is pinned, as setup does.
"""
import argparse, json, os, time, urllib.error, urllib.request
import boto3
from botocore.config import Config

parser = argparse.ArgumentParser()
parser.add_argument("endpoint")
parser.add_argument("action", choices=["setup", "drain", "refill", "cycle", "status"])
parser.add_argument("k", nargs="?", type=int, default=0)
parser.add_argument("--count", type=int)
parser.add_argument("--after", type=float, default=0.0)
parser.add_argument("--every", type=float, default=0.0)
parser.add_argument("--cluster", default="ib-pool")
parser.add_argument("--service", default="ib-warm")
parser.add_argument("--region", default="eu-west-1")
parser.add_argument("--auth", action="store_true")
options = parser.parse_args()


def client(service):
    return boto3.client(
        service, endpoint_url=options.endpoint, region_name=options.region,
        config=Config(retries={"mode": "standard", "max_attempts": 1}),
        aws_access_key_id=os.environ.get("AWS_ACCESS_KEY_ID", "AKIASETUP"),
        aws_secret_access_key=os.environ.get("AWS_SECRET_ACCESS_KEY", "unchecked"))


ecs = client("ecs")


def say(event, **details):
    print(json.dumps({"t": round(time.time(), 6), "event": event, **details}), flush=True)


def moto_api(path, data=None, content_type="text/plain"):
    # Of a form's content type moto would make a dictionary.
    request = urllib.request.Request(
        options.endpoint.rstrip("/") + "/moto-api" + path, data=data, headers={"Content-Type": content_type})
    return urllib.request.urlopen(request, timeout=10).read()


def wait_until_ready():
    for _ in range(900):
        try:
            moto_api("/data.json")
            return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
    raise SystemExit("moto does not answer")


def running():
    return ecs.list_tasks(
        cluster=options.cluster, serviceName=options.service, desiredStatus="RUNNING")["taskArns"]


def service():
    return ecs.describe_services(cluster=options.cluster, services=[options.service])["services"][0]


def start(count):
    deployment = service()["deployments"][0]["id"]
    done = 0
    while done < count:
        batch = 1 if options.every else min(10, count - done)  # RunTask starts 10 at most
        ecs.run_task(
            cluster=options.cluster, taskDefinition=options.service, count=batch, launchType="FARGATE",
            startedBy=deployment, group=f"service:{options.service}")
        done += batch
        say("started", n=batch, running=len(running()))
        if options.every and done < count:
            time.sleep(options.every)


def drain(count):
    for index, arn in enumerate(running()[:count]):
        if options.every and index > 0:
            time.sleep(options.every)
        ecs.stop_task(cluster=options.cluster, task=arn, reason="drained by moto_pool")
        say("stopped", task=arn.rsplit("/", 1)[1], running=len(running()))
    say("drained", running=len(running()))


def refill():
    time.sleep(options.after)
    missing = service()["desiredCount"] - len(running()) if options.count is None else options.count
    say("refill-begin", missing=missing)
    start(missing)
    say("refill-end", running=len(running()))


def setup():
    count = 10 if options.count is None else options.count
    wait_until_ready()
    moto_api("/reset-auth", b"inf")
    moto_api("/reset", b"")
    pinned = {"model_name": "ecs::task", "transition": {"progression": "manual", "times": 10**9}}
    moto_api("/state-manager/set-transition", json.dumps(pinned).encode(), "application/json")
    ecs.create_cluster(clusterName=options.cluster)
    ecs.register_task_definition(
        family=options.service, networkMode="bridge",
        containerDefinitions=[{"name": "w", "image": "scratch", "memory": 16, "cpu": 1}])
    ecs.create_service(
        cluster=options.cluster, serviceName=options.service, taskDefinition=options.service, desiredCount=count,
        launchType="FARGATE")
    start(count)
    ecs.update_service(cluster=options.cluster, service=options.service, desiredCount=count)  # sets runningCount
    say("ready", running=len(running()))
    if options.auth:
        iam = client("iam")
        iam.create_user(UserName="infrabench")
        policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
        iam.put_user_policy(UserName="infrabench", PolicyName="all", PolicyDocument=json.dumps(policy))
        key = iam.create_access_key(UserName="infrabench")["AccessKey"]
        moto_api("/reset-auth", b"0")
        say("auth-on", accessKeyId=key["AccessKeyId"], secretAccessKey=key["SecretAccessKey"])


def status():
    arns = running()
    states = {}
    for index in range(0, len(arns), 100):
        for task in ecs.describe_tasks(cluster=options.cluster, tasks=arns[index:index + 100])["tasks"]:
            states[task["lastStatus"]] = states.get(task["lastStatus"], 0) + 1
    say("status", running=len(arns), desired=service()["desiredCount"], states=states)


if options.action == "cycle":
    drain(options.k)
    refill()
elif options.action == "drain":
    drain(options.k)
else:
    {"setup": setup, "refill": refill, "status": status}[options.action]()
