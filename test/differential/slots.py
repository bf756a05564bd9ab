"""When Prometheus and mlalert evaluate a group: both spread groups over the interval by a hash of file and name. Debian's
Prometheus (2.42) hashes the pair in another form than Prometheus 3, which mlalert follows; a name is found for which
both forms mean the same time, so that everything else can be compared exactly."""

MASK = (1 << 64) - 1
P1, P2, P3, P4, P5 = (0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5)


def _rotl(x, r):
    return ((x << r) | (x >> (64 - r))) & MASK


def _round(acc, lane):
    return _rotl((acc + lane * P2) & MASK, 31) * P1 & MASK


def xxhash64(data):
    at = 0
    if len(data) >= 32:
        v = [(P1 + P2) & MASK, P2, 0, -P1 & MASK]
        while at + 32 <= len(data):
            v = [_round(v[i], int.from_bytes(data[at + 8 * i:at + 8 * i + 8], "little")) for i in range(4)]
            at += 32
        h = (_rotl(v[0], 1) + _rotl(v[1], 7) + _rotl(v[2], 12) + _rotl(v[3], 18)) & MASK
        for lane in v:
            h = ((h ^ _round(0, lane)) * P1 + P4) & MASK
    else:
        h = P5
    h = (h + len(data)) & MASK
    while at + 8 <= len(data):
        h = (_rotl(h ^ _round(0, int.from_bytes(data[at:at + 8], "little")), 27) * P1 + P4) & MASK
        at += 8
    if at + 4 <= len(data):
        h = (_rotl(h ^ int.from_bytes(data[at:at + 4], "little") * P1 & MASK, 23) * P2 + P3) & MASK
        at += 4
    for byte in data[at:]:
        h = _rotl(h ^ byte * P5 & MASK, 11) * P1 & MASK
    h = (h ^ h >> 33) * P2 & MASK
    h = (h ^ h >> 29) * P3 & MASK
    return h ^ h >> 32


def offsets(file, name, interval):
    """(Prometheus 2.42, Prometheus 3 and mlalert), in seconds."""
    parts = [b"file", file.encode(), b"name", name.encode()]
    old = b"".join(part + b"\xff" for part in parts)
    new = b"".join(bytes([len(part)]) + part for part in parts)  # paths of tests are short
    nanoseconds = int(interval * 1e9)
    return tuple(xxhash64(form) % nanoseconds / 1e9 for form in (old, new))


def group_name(prefix, file, interval, earliest, latest, apart):
    """A name whose slots are at the same time in both, within `apart`, and between two phases of the interval."""
    for number in range(1_000_000):
        name = f"{prefix}{number}"
        old, new = offsets(file, name, interval)
        if abs(old - new) <= apart and 0 <= (new - earliest) % interval <= (latest - earliest) % interval:
            return name
    raise AssertionError("no such name")
