"""The part of YAML that data.yaml files use: keys with a value, a list or one more level of keys; scalars stay text."""

import re
from pathlib import Path

from cnnkit.errors import DataError

Value = str | list[str] | dict[str, str]

_PAIR = re.compile(r"""(?P<key>"[^"]*"|'[^']*'|[^\s:#'"\[\]{},][^:#]*?)\s*:(?:\s+(?P<value>.*))?$""")
_BLOCK_SCALARS = ("|", ">", "|-", ">-", "|+", ">+")


def parse_simple_yaml(text: str, source: Path) -> dict[str, Value]:
    """Read top-level keys. A block scalar (`download: |`) is passed over.

    Raises:
        DataError: a line that is none of this, with its number.
    """
    lines = _logical_lines(text)
    values: dict[str, Value] = {}
    at = 0
    while at < len(lines):
        number, indent, line = lines[at]
        match = _PAIR.match(line)
        if indent or match is None:
            raise DataError(f"{source}: line {number} is not understood: {line!r}. Expected `key: value`.")
        end = next((later for later in range(at + 1, len(lines)) if not _inside(lines[later], indent)), len(lines))
        key, value = _unquoted(match["key"]), (match["value"] or "").strip()
        if value in _BLOCK_SCALARS:
            values[key] = ""
        elif value:
            values[key] = _inline(value, source, number)
            end = at + 1
        else:
            values[key] = _block(lines[at + 1 : end], source)
        at = end
    return values


def _inside(line: tuple[int, int, str], indent: int) -> bool:
    return line[1] > indent or line[2].startswith("- ")


def _logical_lines(text: str) -> list[tuple[int, int, str]]:
    """(line number, indent, text) without comments and blank lines; a bracket that stays open takes the next lines."""
    lines: list[tuple[int, int, str]] = []
    open_brackets = 0
    for number, raw in enumerate(text.splitlines(), 1):
        line = _without_comment(raw)
        if not line.strip() or line.strip() == "---":
            continue
        if open_brackets:
            first, indent, before = lines[-1]
            lines[-1] = (first, indent, f"{before} {line.strip()}")
        else:
            lines.append((number, len(line) - len(line.lstrip()), line.strip()))
        open_brackets = sum(_count(lines[-1][2], mark) for mark in "[{") - sum(
            _count(lines[-1][2], mark) for mark in "]}"
        )
    return lines


def _without_comment(line: str) -> str:
    """The line up to a `#` that stands at its beginning or after a space, outside quotes."""
    quote = ""
    for at, mark in enumerate(line):
        before = line[at - 1 : at] or " "
        if quote:
            quote = "" if mark == quote else quote
        elif mark in "'\"" and before in " [{,:'\"":  # after a quote: two in a row stand for one
            quote = mark
        elif mark == "#" and before.isspace():
            return line[:at].rstrip()
    return line.rstrip()


def _count(line: str, mark: str) -> int:
    return re.sub(r"\"[^\"]*\"|'[^']*'", "", line).count(mark)


def _inline(value: str, source: Path, number: int) -> Value:
    if value[0] == "[" and value[-1] == "]":
        return [_unquoted(item) for item in _items(value[1:-1])]
    if value[0] == "{" and value[-1] == "}":
        pairs = [item.partition(":") for item in _items(value[1:-1])]
        return {_unquoted(key): _unquoted(item) for key, _, item in pairs}
    if value[0] in "[{&*!%@`":
        raise DataError(f"{source}: line {number} is not understood: {value!r}.")
    return _unquoted(value)


def _items(text: str) -> list[str]:
    """Split at the commas that stand outside quotes."""
    return [item.strip() for item in re.findall(r"""(?:"[^"]*"|'[^']*'|[^,"'])+""", text) if item.strip()]


def _block(lines: list[tuple[int, int, str]], source: Path) -> Value:
    if lines and all(line.startswith("- ") for _, _, line in lines):
        return [_unquoted(line[2:]) for _, _, line in lines]
    pairs = {}
    for number, _, line in lines:
        match = _PAIR.match(line)
        if match is None or not match["value"]:
            raise DataError(f"{source}: line {number} is not understood: {line!r}. Expected `key: value` or `- item`.")
        pairs[_unquoted(match["key"])] = _unquoted(match["value"])
    return pairs or ""


def _unquoted(text: str) -> str:
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        inner = text[1:-1]
        return inner.replace("''", "'") if text[0] == "'" else inner.replace('\\"', '"').replace("\\\\", "\\")
    return text
