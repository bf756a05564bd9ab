"""What happens in rules_test.py: the rules, and the samples that the exporter shows from second to second.

A series is a list of (second, value); None: it is not exported. Times are those of the exporter: both sides see a change
with the next scrape, and what one query finds the other finds too.
"""

RULES = """
groups:
- name: $MAIN
  rules:
  - alert: Hot
    expr: temp > 50
    labels:
      severity: '{{ if gt $value 80.0 }}critical{{ else }}warning{{ end }}'
    annotations:
      summary: '{{ $labels.room }} of {{ $labels.job }}: {{ $value }} / {{ printf "%.2f" $value }}'
      asked: '{{ with query "temp{room=''a''}" }}{{ . | first | value | humanize }}{{ end }}'
      broken: '{{ $labels.room | toTime }}'
  - alert: HotForLong
    expr: temp > 50
    for: 3s
    labels: {room: '{{ $labels.room | toUpper }}', static: x}
    annotations: {summary: 'since {{ $value | humanizePercentage }}'}
  - alert: Flapping
    expr: flap == 1
    for: 2s
  - alert: Kept
    expr: kept == 1
    keep_firing_for: 4s
  - alert: HeldAndKept
    expr: kept == 1
    for: 1s
    keep_firing_for: 6s
  - alert: Busy
    expr: sum by (job) (rate(requests_total[4s])) > 5
    annotations: {rate: '{{ printf "%.1f" $value }} per second'}
  - alert: Unready
    expr: pod_ready == 0
    annotations: {pod: '{{ $labels.pod }}'}
  - alert: Gap
    expr: gap == 1
    for: 1s
  - alert: Absent
    expr: absent(alive{room="hall"})
    annotations: {room: '{{ $labels.room }}'}
  - alert: Odd
    expr: odd
    annotations: {value: '{{ $value }} {{ humanize $value }} {{ humanizeDuration $value }}'}
  - alert: Scalar
    expr: scalar(temp{room="a"})
    annotations: {value: '{{ $value }}'}
  - alert: Always
    expr: vector(1)
    labels: {alertname: not this, severity: none}
  - alert: Steady
    expr: steady == 1
    for: 2s
  - alert: SteadyKept
    expr: steady_kept == 1
    keep_firing_for: 7s
  - alert: Over
    expr: over == 1
  - alert: OverHeld
    expr: over == 1
    for: 2s
  - alert: After
    expr: after == 1
    for: 1s
    annotations: {value: '{{ $value }}'}
- name: $ERRORS
  rules:
  - alert: SameLabels
    expr: temp > 50
    labels: {room: ''}
  - alert: ManyToMany
    expr: (temp * on (room) group_left () weight) > 50
- name: $LIMITED
  limit: 1
  rules:
  - alert: Limited
    expr: temp > 50
"""

# Rules whose queries VictoriaMetrics answers as Prometheus does, with changes slow enough for its delay of a second.
RULES_FOR_VICTORIA = """
groups:
- name: main
  rules:
  - alert: Hot
    expr: temp > 50
    labels:
      severity: '{{ if gt $value 80.0 }}critical{{ else }}warning{{ end }}'
    annotations: {summary: '{{ $labels.room }} of {{ $labels.job }}: {{ $value }} / {{ printf "%.2f" $value }}'}
  - alert: HotForLong
    expr: temp > 50
    for: 3s
    labels: {room: '{{ $labels.room | toUpper }}', static: x}
    annotations: {summary: 'since {{ $value | humanizePercentage }}'}
  - alert: Gap
    expr: gap == 1
  - alert: Absent
    expr: absent(alive{room="hall"})
    annotations: {room: '{{ $labels.room }}'}
  - alert: Always
    expr: vector(1)
    labels: {alertname: not this, severity: none}
  - alert: Steady
    expr: steady == 1
    for: 2s
  - alert: SteadyKept
    expr: steady_kept == 1
    keep_firing_for: 7s
  - alert: Over
    expr: over == 1
  - alert: After
    expr: after == 1
    for: 1s
    annotations: {value: '{{ $value }}'}
"""

KILL_OURS = 21     # kill -9, and start
RESTART_DATA = 32  # the data source: SIGTERM, and start
END = 47

SERIES = {
    'temp{room="a"}': [(0, 20), (3, 60), (9, 20), (12, 70), (16, 20)],
    'temp{room="b"}': [(0, 20), (5, 90.5), (9, 60), (14, 20)],
    'weight{room="a"}': [(0, 1)],
    'weight{room="b"}': [(0, 1)],
    'weight{room="a",twice="yes"}': [(0, None), (6, 1), (12, None)],
    "flap": [(0, 0), (3, 1), (4, 0), (6, 1), (12, 0), (14, 1), (18, 0)],
    "kept": [(0, 0), (3, 1), (5, 0), (7, 1), (9, 0)],
    # There from the beginning: VictoriaMetrics finds a new name seconds later.
    "gap": [(0, 0), (2, 1), (6, None), (10, 1), (15, 0), (17, None)],
    'alive{room="hall"}': [(0, 1), (4, None), (9, 1)],
    'odd{kind="x"}': [(0, None), (4, "NaN"), (7, "+Inf"), (9, -0.00000123), (12, 1234567), (14, None)],
    "steady": [(0, 0), (15, 1), (27, 0)],
    "steady_kept": [(0, 0), (14, 1), (19, 0)],
    'over{to="restart"}': [(0, 0), (26, 1), (42, 0)],
    "after": [(0, 0), (38, 1), (43, 0)],
}


def value_at(steps, second):
    value = None
    for since, step in steps:
        if second >= since:
            value = step
    return value


def samples(second):
    """The text of a scrape at that second of the story."""
    out = [(series, value_at(steps, second)) for series, steps in SERIES.items()]
    # Ten a second, started anew at second 10.
    out.append(("requests_total", int(10 * (second if second < 10 else second - 10)) if second < 16 else 60))
    # A pod lives for three seconds.
    if second < 18:
        out.append((f'pod_ready{{pod="pod-{int(second // 3)}"}}', 0 if int(second) % 3 else 1))
    return "".join(f"{series} {value}\n" for series, value in out if value is not None)
