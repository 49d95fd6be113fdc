"""A warm pool in simpy, written from the planner's rules alone: the other implementation of SimulatedPoolTests.swift.

Reads a model as JSON from the first argument; prints one JSON object a run: hits, arrivals, waits, instances. Where the
project's simulation is one state machine, this one is a process for each user, task and instance.
"""
import json
import random
import sys

import simpy


class Instance:
    def __init__(self, env):
        self.held = 0
        self.ready = env.event()
        self.ready_at = 0.0
        self.empty_since = env.now


class Pool:
    def __init__(self, env, model, rng):
        self.env, self.model, self.rng = env, model, rng
        self.warm, self.queue, self.instances = [], [], []
        self.starting = 0
        self.stopped = model.get("instancePool", 0)
        self.permits = simpy.PriorityResource(env, model["parallelStarts"]) if "parallelStarts" in model else None
        self.waits, self.hits, self.arrivals = [], 0, 0
        self.level, self.level_since, self.area = 0, 0.0, 0.0
        for _ in range(model.get("instances", 0)):
            instance = Instance(env)
            instance.ready.succeed()
            self.instances.append(instance)
            self.count(1)
            self.env.process(self.idle(instance))

    def measured(self):
        return self.model["warmup"] <= self.env.now < self.model["warmup"] + self.model["horizon"]

    def count(self, change):
        """Adds up running instances over the measured time."""
        begin, end = self.model["warmup"], self.model["warmup"] + self.model["horizon"]
        length = min(self.env.now, end) - max(self.level_since, begin)
        self.area += self.level * max(0.0, length)
        self.level, self.level_since = self.level + change, self.env.now

    # Instances

    def place(self):
        """An instance with a slot for one more task; a generator for simpy."""
        if "slots" not in self.model:
            return None
        slots = self.model["slots"]
        running = [one for one in self.instances if one.ready.processed and one.held < slots]
        if running:
            chosen = max(running, key=lambda one: one.held)
        else:
            booting = [one for one in self.instances if not one.ready.processed and one.held < slots]
            chosen = min(booting, key=lambda one: one.ready_at) if booting else self.boot()
        chosen.held += 1
        chosen.empty_since = None
        return chosen

    def boot(self):
        instance = Instance(self.env)
        if self.stopped:
            self.stopped -= 1
            length = self.model["instanceWarm"]
            self.env.process(self.restock())
        else:
            length = self.model["instanceCold"]
        instance.ready_at = self.env.now + length
        self.instances.append(instance)
        self.count(1)
        self.env.process(self.run(instance, length))
        return instance

    def restock(self):
        yield self.env.timeout(self.model["poolRefill"])
        self.stopped += 1

    def run(self, instance, length):
        yield self.env.timeout(length)
        instance.ready.succeed()

    def free(self, instance):
        if instance is None:
            return
        instance.held -= 1
        if instance.held == 0:
            instance.empty_since = self.env.now
            self.env.process(self.idle(instance))

    def idle(self, instance):
        if "scaleIn" not in self.model:
            return
        while True:
            yield self.env.timeout(self.model["scaleIn"])
            empty = instance.empty_since
            if instance not in self.instances or empty is None or self.env.now - empty < self.model["scaleIn"] - 1e-9:
                return
            if len(self.instances) > self.model["instances"]:
                self.instances.remove(instance)
                self.count(-1)
                return

    # Tasks

    def start(self, priority):
        """Starts a task; its value is the task's instance."""
        request = self.permits.request(priority) if self.permits else None
        if request:
            yield request
        instance = self.place()
        if instance is not None and not instance.ready.processed:
            yield instance.ready
        mean = self.model["start"]
        yield self.env.timeout(self.rng.expovariate(1 / mean) if self.model.get("exponential") else mean)
        if request:
            self.permits.release(request)
        return instance

    def keep_one(self):
        instance = yield self.env.process(self.start(1))
        self.starting -= 1
        if self.queue:
            self.queue.pop(0).succeed(instance)
        else:
            task = (instance, self.env.now)
            self.warm.append(task)
            if "ttl" in self.model:
                self.env.process(self.expire(task))

    def expire(self, task):
        yield self.env.timeout(self.model["ttl"])
        if any(one is task for one in self.warm):
            self.warm = [one for one in self.warm if one is not task]
            self.free(task[0])
            self.keep()

    def keep(self):
        if "every" not in self.model:
            self.replenish()

    def replenish(self):
        wanted = self.model["size"] + (len(self.queue) if self.model["fallback"] == "queue" else 0)
        while len(self.warm) + self.starting < wanted:
            self.starting += 1
            self.env.process(self.keep_one())

    def look(self):
        while True:
            yield self.env.timeout(self.model["every"])
            self.replenish()

    # Users

    def user(self):
        arrived, measured = self.env.now, self.measured()
        hit = bool(self.warm)
        if hit:
            instance = self.warm.pop(0)[0]
            self.keep()
        elif self.model["fallback"] == "own-start":
            instance = yield self.env.process(self.start(0))
        else:
            turn = self.env.event()
            self.queue.append(turn)
            self.keep()
            instance = yield turn
        if measured:
            self.arrivals += 1
            self.hits += hit
            self.waits.append(self.env.now - arrived)
        if "session" in self.model:
            yield self.env.timeout(self.rng.expovariate(1 / self.model["session"]))
            self.free(instance)
            self.keep()

    def users(self):
        while True:
            yield self.env.timeout(self.rng.expovariate(self.model["rate"]))
            self.env.process(self.user())


def main():
    model = json.loads(sys.argv[1])
    for run in range(model["runs"]):
        env = simpy.Environment()
        pool = Pool(env, model, random.Random(model["seed"] * 1000 + run))
        pool.replenish()
        env.process(pool.users())
        if "every" in model:
            env.process(pool.look())
        # Users of the measured time still get their task.
        env.run(until=model["warmup"] + model["horizon"] + 600)
        pool.count(0)
        print(json.dumps({
            "arrivals": pool.arrivals, "hits": pool.hits, "meanWait": sum(pool.waits) / len(pool.waits),
            "longerThan5": sum(wait > 5 for wait in pool.waits), "instances": pool.area / model["horizon"],
        }))


main()
