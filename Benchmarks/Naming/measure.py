"""Reads names with several parsers, each on one core, and prints one table."""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))


def own_names():
    """The names of our own tests."""
    text = open(os.path.join(HERE, "../../Tests/NamingTests/NameForms.swift")).read()
    names = re.findall(r'^\s*\("(.+?)", "(?:.*?)"\),$', text, re.M)
    assert len(names) > 80, len(names)
    return names


def ours(names):
    output = subprocess.run(
        [os.environ["SYNC2NAS_PROGRAM"], "parse", "--json", "-"],
        input="\n".join(name.replace("\n", " ") for name in names) + "\n",
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout
    return [json.loads(line) for line in output.splitlines()]


def ours_only_parsed(names):
    """Without reading the answer in Python, which takes longer than to make it."""
    with tempfile.TemporaryFile("w+") as file:
        file.write("\n".join(names) + "\n")
        file.seek(0)
        subprocess.run(
            [os.environ["SYNC2NAS_PROGRAM"], "parse", "--json", "-"],
            stdin=file,
            stdout=subprocess.DEVNULL,
            check=True,
        )


def numbers(value):
    return value if isinstance(value, list) else [] if value is None else [value]


def one(value):
    """Some parsers give several where a name says several."""
    value = value[0] if isinstance(value, list) and value else value
    return value if value is None or isinstance(value, (int, str)) else str(value)


def guessit(names):
    import guessit as module

    results = []
    for name in names:
        found = module.guessit(name, {"type": "episode"})
        seasons = numbers(found.get("season"))
        date = found.get("date")
        results.append({
            "title": one(found.get("title")), "season": seasons[0] if seasons else None,
            "seasons": seasons if len(seasons) > 1 else [],
            "episodes": [n for n in numbers(found.get("episode")) if isinstance(n, int)],
            "absolute": [n for n in numbers(found.get("absolute_episode")) if isinstance(n, int)],
            "date": str(date) if date else None, "year": one(found.get("year")),
            "group": one(found.get("release_group")), "resolution": one(found.get("screen_size")),
            "crc32": one(found.get("crc32")), "version": one(found.get("version")) or 1,
            "full_season": bool(seasons) and not found.get("episode"),
        })
    return results


def ptt(names):
    import PTT

    results = []
    for name in names:
        found = PTT.parse_title(name)
        seasons = found.get("seasons") or []
        results.append({
            "title": found.get("title"), "season": seasons[0] if seasons else None,
            "seasons": seasons if len(seasons) > 1 else [],
            "episodes": found.get("episodes") or [], "date": found.get("date"),
            "year": found.get("year") if isinstance(found.get("year"), int) else None,
            "group": found.get("group"), "resolution": found.get("resolution"),
            "full_season": bool(seasons) and not found.get("episodes"),
        })
    return results


PARSERS = {"sync2nas": ours, "guessit": guessit, "PTT": ptt}


def rate(parse, names, rounds=3):
    """Names a second, the median of some rounds."""
    rates = []
    for _ in range(rounds):
        start = time.monotonic()
        parse(names)
        rates.append(len(names) / (time.monotonic() - start))
    return statistics.median(rates)


def score(corpus, parse, name, work):
    records = [json.loads(line) for line in open(f"{corpus}/dev.jsonl")]
    path = f"{work}/{name}.jsonl"
    with open(path, "w") as file:
        for result in parse([record["name"] for record in records]):
            file.write(json.dumps({k: v for k, v in result.items() if k != "name"}) + "\n")
    output = subprocess.check_output(
        [sys.executable, f"{corpus}/score.py", f"{corpus}/dev.jsonl", path], text=True
    )
    total = next(line for line in output.splitlines() if line.startswith("TOTAL"))
    return total.split()[2]


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--corpus")
    options = arguments.parse_args()
    own = own_names()
    rows = [("names a second, one core", {
        "sync2nas": f"{rate(ours_only_parsed, own * 500):,.0f}",
        "guessit": f"{rate(guessit, own):,.0f}",
        "PTT": f"{rate(ptt, own * 5):,.0f}",
    })]
    if options.corpus:
        with tempfile.TemporaryDirectory() as work:
            rows.append(("routable identity right", {
                name: score(options.corpus, parse, name, work) for name, parse in PARSERS.items()
            }))
    else:
        print("no corpus was named (--corpus): only speed is measured", file=sys.stderr)
    print("| | " + " | ".join(PARSERS) + " |")
    print("|---" * (len(PARSERS) + 1) + "|")
    for row, values in rows:
        print(f"| {row} | " + " | ".join(values[name] for name in PARSERS) + " |")


if __name__ == "__main__":
    main()
