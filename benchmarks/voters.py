"""A room full of phones votes: how quickly pages and votes are answered, and whether one is lost.

    python -m benchmarks.voters [--voters 150] [--within 60]

Everyone comes while the first round is open and votes; the later rounds all vote as soon as they
see them. Phones are of this machine, too: see benchmarks/visitor.py for how they differ
from browsers.
"""

import argparse
import asyncio
import contextlib
import random
import re
import sys
import time

from benchmarks.visitor import Visitor
from benchmarks.visitors import say, serve, visitor
from wlm.audience.room import ROUNDS, SIDES
from wlm.measuring.machine import describe_machine

CLOSE = ("Close the round", "Show the truth")
STEPS = ("Open round 1", *((*CLOSE, "Next round") * (ROUNDS - 1)), *CLOSE)
LOOK_SECONDS = 0.05


async def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--voters", type=int, default=150)
    parser.add_argument("--within", type=float, default=60.0, help="seconds in which they arrive")
    options = parser.parse_args()
    machine = describe_machine()
    print(f"{machine['cpu']}, {machine['cpus']} CPUs, {machine['os']}")
    firsts, votes, anew, problems = [], [], [], []
    with serve():
        async with visitor(problems) as speaker, contextlib.AsyncExitStack() as stack:
            await speaker.open("Audience")
            await speaker.press("Open a room")
            query = speaker.query
            await speaker.press(STEPS[0])

            async def come(number: int) -> Visitor:
                await asyncio.sleep(options.within * number / options.voters)
                start = time.perf_counter()
                one = await stack.enter_async_context(visitor(problems))
                await one.open("Audience", query)
                firsts.append(time.perf_counter() - start)
                await vote(one)
                return one

            async def vote(one: Visitor) -> None:
                while not any("Choose a text" in word for word in one.words):
                    await asyncio.sleep(LOOK_SECONDS)
                votes.append(await one.press(f"{random.choice(SIDES)} is int8"))

            async def vote_anew(one: Visitor) -> None:
                start = time.perf_counter()
                await vote(one)
                anew.append(time.perf_counter() - start)

            phones = await asyncio.gather(*map(come, range(options.voters)))
            for step in STEPS[1:]:
                for phone in phones:
                    phone.words.clear()
                await speaker.press(step)
                if step == "Next round":
                    await asyncio.gather(*map(vote_anew, phones))
            counted = votes_told(speaker.words)
    what = f"{options.voters} voters within {options.within:g} s"
    say(f"{what}: first pages", firsts)
    say(f"{what}: votes", votes)
    say("from a round's opening to everyone's vote", anew)
    lost = ROUNDS * options.voters - counted
    print(f"votes lost: {lost} of {ROUNDS * options.voters}")
    for problem in set(problems):
        print(f"  {problem}")
    return int(lost > 0)


def votes_told(words: list[str]) -> int:
    """Return the number of votes of all rounds, as the stage tells it in the end."""
    return int(re.findall(r"of ([0-9,]+) votes were right", " ".join(words))[-1].replace(",", ""))


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
