"""deploy/Dockerfile as data: its stages with their instructions. Enough of the language for our own file."""

import re
import shlex

from package import SOURCE_DIR

DOCKERFILE = SOURCE_DIR / "deploy/Dockerfile"


def stages():
    """{stage: [(INSTRUCTION, text)]} in the order of the file."""
    text = re.sub(r"(?m)^\s*#.*\n", "", DOCKERFILE.read_text())
    text = re.sub(r"\\\n\s*", " ", text)
    out = {}
    stage = None
    for line in filter(None, map(str.strip, text.splitlines())):
        word, rest = line.split(None, 1)
        if word == "FROM":
            base, stage = re.fullmatch(r"(\S+) AS (\S+)", rest).groups()
            out[stage] = [("FROM", base)]
        elif stage is not None:
            out[stage].append((word, rest))
    return out


def lines(stage, word):
    return [rest for name, rest in stages()[stage] if name == word]


def installed_packages(stage):
    """What `apt-get install` names in the RUN lines of a stage."""
    found = []
    for run in lines(stage, "RUN"):
        for part in run.split("&&"):
            words = shlex.split(part)
            if words[:2] == ["apt-get", "install"]:
                found += [item for item in words[2:] if not item.startswith("-")]
    return found
