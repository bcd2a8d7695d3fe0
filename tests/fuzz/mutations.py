"""Bytes and text that are almost right: valid ones with some damage, and what attackers write."""

from hypothesis import strategies as st

__all__ = ["damaged_bytes", "damaged_yaml", "hostile_json"]

# What parsers have tripped over: depth, size, numbers without a form, keys that stand twice, lone surrogates.
_HOSTILE = [
    b"[" * 50_000,
    b'{"a":' * 20_000,
    b"1" * 20_000,
    b"1e999",
    b"-0.0",
    b"NaN",
    b"Infinity",
    b'"\\ud800"',
    b'{"n":1,"n":2}',
    b"\xff\xfe{}",
    b"\xef\xbb\xbf{}",
    b"null",
    b"",
]
_YAML = [
    "&a [*a, *a]",
    "*a",
    ".nan",
    ".inf",
    "1e999",
    "!!python/object/apply:os.system ['true']",
    "0o17",
    "2001-02-30",
    "~",
    "[" * 200,
    "{a: {a: {a: {a: {}}}}}",
    '"\\ud800"',
    "'\u202e'",
    "<<: *a",
    "? [1, 2]",
    "%TAG ! x",
    "--- 1\n--- 2",
    "9" * 5000,
]

hostile_json = st.sampled_from(_HOSTILE) | st.binary(max_size=200)


@st.composite
def damaged_bytes(draw: st.DrawFn, valid: bytes) -> bytes:
    """``valid`` with up to three cuts, doublings, insertions or changed bytes."""
    body = valid
    for _ in range(draw(st.integers(1, 3))):
        first = draw(st.integers(0, max(len(body) - 1, 0)))
        last = draw(st.integers(first, min(first + 40, len(body))))
        inside = draw(st.sampled_from([b"", body[first:last] * 2]) | st.binary(max_size=4) | st.sampled_from(_HOSTILE))
        body = body[:first] + inside + body[last:]
    return body


@st.composite
def damaged_yaml(draw: st.DrawFn, valid: str) -> str:
    """``valid`` with up to three lines left out, doubled, indented, or with another value."""
    lines = valid.splitlines()
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(lines) - 1))
        key = lines[at].partition(":")[0]
        changed = draw(
            st.sampled_from([[], [lines[at]] * 2, ["  " + lines[at]], [lines[at].lstrip()]])
            | st.sampled_from(_YAML).map(lambda value, key=key: [f"{key}: {value}"])
            | st.text(max_size=10).map(lambda value, key=key: [f"{key}: {value}"])
        )
        lines[at : at + 1] = changed
        if not lines:
            break
    return "\n".join(lines)
