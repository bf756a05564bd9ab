"""Runs every scenario of *_scenarios.py against Debian's Alertmanager and mlalert at the same time.

    differential_test.py [--list] [--keep] [NAME...]

Scenarios mostly wait, so a wave of them runs side by side: first all processes of the wave start, then all stories begin.
What fails is told again alone, once: two cores are few, and an Alertmanager that was late proves nothing. Exit status 1
when a scenario failed twice.
"""

import argparse
import importlib
import pathlib
import sys
import threading
import time
import traceback

import peers
from scenario import SCENARIOS

WAVE = 16


class Run:
    def __init__(self, scenario, sink):
        self.scenario = scenario
        self.pair = peers.Pair(scenario.name, scenario.config, sink, scenario.flags, scenario.prefix,
                               scenario.files)
        self.problems = []

    def start(self):
        try:
            self.pair.start()
        except Exception:  # told as the scenario's failure
            self.problems.append(traceback.format_exc())

    def tell(self, tolerance):
        if not self.problems:
            self.pair.begin()
            try:
                self.scenario.story(self.pair)
                self.pair.at(self.scenario.length)
                self.problems += self.pair.check(tolerance())
            except Exception:
                self.problems.append(traceback.format_exc())

    def end(self, keep):
        self.pair.end(keep)


def in_threads(functions):
    threads = [threading.Thread(target=function) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def wave(scenarios, keep):
    """{scenario: problems}"""
    sink = peers.Sink()
    runs = [Run(scenario, sink) for scenario in scenarios]
    try:
        # Here and not in a thread each: a child dies with the thread that made it (PR_SET_PDEATHSIG).
        for run in runs:
            run.start()
        lag = peers.Lag()
        in_threads([lambda run=run: run.tell(lag.tolerance) for run in runs])
        lag.stop()
        if lag.worst > 0.1:
            print(f"     a sleeper woke up {lag.worst:.2f} s late: times are taken with {lag.tolerance():.2f} s", flush=True)
    finally:
        in_threads([lambda run=run: run.end(keep) for run in runs])
        sink.close()
    return {run.scenario: run.problems for run in runs}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*", help="scenarios, or parts of their names")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--keep", action="store_true", help="keep the folders of the processes")
    options = parser.parse_args()
    for file in sorted(pathlib.Path(__file__).parent.glob("*_scenarios.py")):
        importlib.import_module(file.stem)
    chosen = [s for s in SCENARIOS if not options.names or any(name in s.name for name in options.names)]
    if options.list:
        for scenario in chosen:
            print(f"{scenario.name}  {scenario.covers}")
        return 0
    began = time.monotonic()
    # Long stories first: the waves are then of about equal length.
    chosen.sort(key=lambda scenario: -scenario.length)
    failed = {}
    for first in range(0, len(chosen), WAVE):
        for scenario, problems in wave(chosen[first:first + WAVE], options.keep).items():
            print(f"{'FAIL' if problems else 'ok  '} {scenario.name}", flush=True)
            if problems:
                failed[scenario] = problems
    for first in range(0, len(failed), WAVE // 2):
        again = list(failed)[first:first + WAVE // 2]
        for scenario, problems in wave(again, options.keep).items():
            if problems:
                failed[scenario] = problems
            else:
                print(f"ok   {scenario.name}, at the second try; the first said: {failed[scenario][0][:600]}")
                failed[scenario] = None
    failed = {scenario: problems for scenario, problems in failed.items() if problems}
    for scenario, problems in failed.items():
        print(f"\n=== {scenario.name} ({scenario.covers})")
        for problem in problems:
            print(problem)
    print(f"{len(chosen) - len(failed)} of {len(chosen)} scenarios agree, {time.monotonic() - began:.0f} s")
    return 1 if failed or not chosen else 0


if __name__ == "__main__":
    sys.exit(main())
