#!/usr/bin/env python3
"""Makes helm/mlalert/values.schema.json and the table in helm/mlalert/README.md from values.yaml.

The comments of values.yaml ("# -- text", "# @section title") are the documentation, its values the defaults and the types;
RULES below adds what a default cannot say. `--check` compares with what is committed and writes nothing.
"""

import argparse
import json
import pathlib
import re
import sys

import yaml

CHART = pathlib.Path(__file__).resolve().parent / "mlalert"
BEGIN = "<!-- values: made by helm/generate.py -->"
END = "<!-- end of values -->"

DURATION = {"type": "string", "pattern": "^([0-9]+(ms|s|m|h|d|w|y))+$|^0$"}
TEXTS = {"type": "array", "items": {"type": "string", "minLength": 1}}
OBJECTS = {"type": "array", "items": {"type": "object"}}
PORT = {"type": "integer", "minimum": 1, "maximum": 65535}
FILES = {"type": "object", "propertyNames": {"pattern": "^[-._a-zA-Z0-9]+$"},
         "additionalProperties": {"type": ["string", "object"]}}
TEXT_MAP = {"type": "object", "additionalProperties": {"type": "string"}}
NAME = {"type": "string", "pattern": "^([a-z0-9]([-.a-z0-9]*[a-z0-9])?)?$", "maxLength": 253}
QUANTITY = {"type": "string", "pattern": "^[0-9]+(\\.[0-9]+)?([KMGTPE]i?|m)?$"}
FREE = {"type": "object", "additionalProperties": True}


def one_of(*words):
    return {"type": "string", "enum": list(words)}


def closed(properties, required):
    return {"type": "object", "additionalProperties": False, "required": required, "properties": properties}


MODES = {"type": "array", "minItems": 1, "items": one_of("ReadWriteOnce", "ReadWriteOncePod", "ReadWriteMany")}

# By path of the value. What is not named here has the type of its default; a map with keys is closed, an empty one free.
RULES = {
    "prometheus.timeout": DURATION,
    "prometheus.headers": TEXT_MAP,
    "slack.existingSecret": NAME,
    "pagerduty.existingSecret": NAME,
    "config.data": FREE,
    "config.overrides": FREE,
    "config.existingConfigMap": NAME,
    "config.existingSecret": NAME,
    "config.key": {"type": "string", "pattern": "^[-._a-zA-Z0-9]+$"},
    "ruleFiles": FILES,
    "runbooks": FILES,
    "templates": FILES,
    "ruleConfigMaps": TEXTS,
    "runbookConfigMaps": TEXTS,
    "templateConfigMaps": TEXTS,
    "backup.keep": {"type": "integer", "minimum": 1},
    "backup.schedule": {"type": "string", "pattern": "^(@[a-z]+|\\S+( +\\S+){4})$"},
    "backup.existingClaim": NAME,
    "backup.accessModes": MODES,
    "backup.size": QUANTITY,
    "backup.activeDeadlineSeconds": {"type": "integer", "minimum": 60},
    "backup.resources": FREE,
    "revisionHistoryLimit": {"type": "integer", "minimum": 0},
    "service.externalTrafficPolicy": one_of("", "Cluster", "Local"),
    "service.loadBalancerSourceRanges": TEXTS,
    "secretMounts": {"type": "array", "items": closed(
        {"name": {"type": "string", "pattern": "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", "maxLength": 50},
         "secretName": {"type": "string", "minLength": 1}, "optional": {"type": "boolean"}, "items": OBJECTS},
        ["name", "secretName"])},
    "configReload.mode": one_of("builtin", "restart", "none"),
    "configReload.interval": {"type": "string", "pattern": "^([0-9]+(ms|s|m|h))+$"},
    "logLevel": one_of("debug", "info", "warn", "error"),
    "logFormat": one_of("json", "logfmt"),
    "web.existingSecret": NAME,
    "extraArgs": {"type": "object", "additionalProperties": {"type": ["string", "number", "boolean", "null"]}},
    "extraEnv": {"type": "array", "items": {"type": "object", "required": ["name"]}},
    "extraEnvFrom": OBJECTS,
    "image.pullPolicy": one_of("Always", "IfNotPresent", "Never"),
    "image.digest": {"type": "string", "pattern": "^(sha256:[0-9a-f]{64})?$"},
    "image.repository": {"type": "string", "minLength": 1},
    "imagePullSecrets": {"type": "array", "items": closed({"name": {"type": "string"}}, ["name"])},
    "persistence.accessModes": MODES,
    "persistence.size": QUANTITY,
    "persistence.retentionPolicy.whenDeleted": one_of("Retain", "Delete"),
    "persistence.retentionPolicy.whenScaled": one_of("Retain", "Delete"),
    "replicaCount": {"type": "integer", "minimum": 0},
    "resources": FREE,
    "podSecurityContext": FREE,
    "securityContext": FREE,
    "terminationGracePeriodSeconds": {"type": "integer", "minimum": 1},
    "startupProbe": FREE,
    "livenessProbe": FREE,
    "readinessProbe": FREE,
    "extraObjects": {"type": "array", "items": {"type": ["object", "string"]}},
    "service.type": one_of("ClusterIP", "NodePort", "LoadBalancer"),
    "service.port": PORT,
    "service.nodePort": {"type": "integer", "minimum": 0, "maximum": 65535},
    "service.ipFamilyPolicy": one_of("", "SingleStack", "PreferDualStack", "RequireDualStack"),
    "ingress.hosts": {"type": "array", "items": closed({"host": {"type": "string", "minLength": 1}}, ["host"])},
    "ingress.tls": OBJECTS,
    "httpRoute.hostnames": TEXTS,
    "podDisruptionBudget.maxUnavailable": {"type": ["integer", "string"]},
    "serviceMonitor.interval": DURATION,
    "dashboards.labels": TEXT_MAP,
}
for path in ("extraVolumes", "extraVolumeMounts", "extraInitContainers", "extraContainers", "tolerations", "hostAliases",
             "topologySpreadConstraints", "httpRoute.parentRefs", "httpRoute.filters", "httpRoute.matches", "tests.env",
             "networkPolicy.ingress", "networkPolicy.egress", "serviceMonitor.relabelings",
             "serviceMonitor.metricRelabelings", "prometheusRule.extraGroups"):
    RULES[path] = OBJECTS
for path in ("commonLabels", "commonAnnotations", "podAnnotations", "podLabels", "annotations", "nodeSelector",
             "serviceAccount.annotations", "service.annotations", "service.labels", "ingress.annotations",
             "httpRoute.annotations", "httpRoute.labels", "persistence.annotations", "backup.annotations", "serviceMonitor.labels",
             "prometheusRule.labels", "prometheusRule.alertLabels", "dashboards.annotations", "tests.annotations"):
    RULES[path] = TEXT_MAP


class Problem(Exception):
    pass


def read_comments(text):
    """[(section, [(path, documentation)])] in the order of the file."""
    sections = []
    stack = []  # (indent, key)
    doc = None
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if stripped.startswith("# @section "):
            sections.append((stripped[len("# @section "):], []))
        elif stripped.startswith("# -- "):
            doc = stripped[5:]
        elif stripped.startswith("#"):
            doc = None if doc is None else doc + " " + stripped[1:].strip()
        elif not stripped:
            doc = None
        else:
            match = re.match(r"^( *)([A-Za-z0-9_]+):( .*)?$", line)
            if match is None:
                doc = None
                continue
            indent = len(match[1])
            stack = [entry for entry in stack if entry[0] < indent] + [(indent, match[2])]
            path = ".".join(key for _, key in stack)
            if doc is not None:
                if not sections:
                    raise Problem(f"values.yaml:{number}: a value stands before the first section")
                sections[-1][1].append((path, doc))
            doc = None
    return sections


def lookup(values, path):
    for key in path.split("."):
        values = values[key]
    return values


def leaves(values, documented, path=""):
    """Paths that need documentation: all that are no map, and maps that are documented as a whole."""
    for key, value in values.items():
        here = f"{path}.{key}" if path else key
        if isinstance(value, dict) and value and (here not in documented or here not in RULES):
            yield from leaves(value, documented, here)
        else:
            yield here


def schema_of(value, path, docs):
    rule = RULES.get(path)
    if rule is not None:
        out = dict(rule)
    elif isinstance(value, bool):
        out = {"type": "boolean"}
    elif isinstance(value, int):
        out = {"type": "integer"}
    elif isinstance(value, str):
        out = {"type": "string"}
    elif isinstance(value, list):
        out = {"type": "array"}
    elif value:
        out = {"type": "object", "additionalProperties": False, "properties": {
            key: schema_of(item, f"{path}.{key}" if path else key, docs) for key, item in value.items()}}
    else:
        out = {"type": "object"}
    if path in docs:
        out["description"] = docs[path]
    if path and (not isinstance(value, dict) or rule is not None):
        out["default"] = value
    return out


def make_schema(values, docs):
    return {"$schema": "http://json-schema.org/draft-07/schema#", "title": "Values of the mlalert chart",
            **schema_of(values, "", docs)}


def make_table(values, sections):
    lines = []
    for title, rows in sections:
        lines += ["", f"### {title}", "", "| Value | Default | Meaning |", "|---|---|---|"]
        for path, doc in rows:
            value = lookup(values, path)
            if isinstance(value, dict) and value and path not in RULES:
                continue  # a heading: its values stand below
            default = json.dumps(value, separators=(", ", ": ")).replace("|", "\\|")
            lines.append(f"| `{path}` | `{default}` | {doc.replace('|', chr(92) + '|')} |")
    return "\n".join(lines[1:])


def generate():
    text = (CHART / "values.yaml").read_text()
    values = yaml.safe_load(text)
    sections = read_comments(text)
    docs = {path: doc for _, rows in sections for path, doc in rows}
    missing = [path for path in leaves(values, docs) if path not in docs]
    if missing:
        raise Problem("values.yaml: no documentation (# -- ...) of " + ", ".join(missing))
    stale = [path for path in RULES if not exists(values, path)]
    if stale:
        raise Problem("generate.py: RULES name what is not in values.yaml: " + ", ".join(stale))
    readme = (CHART / "README.md").read_text()
    if BEGIN not in readme or END not in readme:
        raise Problem(f"README.md: the lines {BEGIN} and {END} are missing")
    head, rest = readme.split(BEGIN, 1)
    tail = rest.split(END, 1)[1]
    return {
        CHART / "values.schema.json": json.dumps(make_schema(values, docs), indent=2) + "\n",
        CHART / "README.md": head + BEGIN + "\n\n" + make_table(values, sections) + "\n\n" + END + tail,
    }


def exists(values, path):
    try:
        lookup(values, path)
        return True
    except (KeyError, TypeError):
        return False


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare with what is committed, write nothing")
    options = parser.parse_args()
    try:
        files = generate()
    except Problem as problem:
        print(f"helm/generate.py: {problem}", file=sys.stderr)
        return 1
    status = 0
    for path, wanted in files.items():
        if path.exists() and path.read_text() == wanted:
            continue
        if options.check:
            print(f"helm/generate.py: {path.name} does not follow values.yaml: run helm/generate.py", file=sys.stderr)
            status = 1
        else:
            path.write_text(wanted)
    return status


if __name__ == "__main__":
    sys.exit(main())
