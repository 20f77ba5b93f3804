"""Fill the page: one file, with its style, script and pictures inside, that may load nothing."""

import hashlib
from base64 import b64encode
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import metadata
from importlib.resources import files
from typing import Any

import jinja2
from markupsafe import Markup


def page(
    template: str, *, title: str, kind: str, heading: str, sections: Sequence[tuple[str, str]], **facts: Any
) -> str:
    style, script = _asset("report.css"), _asset("report.js")
    return (
        _engine()
        .get_template(template)
        .render(
            title=title,
            kind=kind,
            heading=heading,
            sections=sections,
            style=Markup(style),
            script=Markup(script),
            policy=_policy(style, script),
            version=metadata.version("cnnkit"),
            **facts,
        )
    )


def text(template: str, facts: Mapping[str, Any]) -> str:
    return _engine().get_template(template).render(**facts)


def _policy(style: str, script: str) -> str:
    """Nothing is loaded, and no script runs but ours: a name made of markup could not act even if it got in."""
    return f"default-src 'none'; img-src data:; style-src '{_hash(style)}'; script-src '{_hash(script)}'"


def _hash(content: str) -> str:
    return f"sha256-{b64encode(hashlib.sha256(content.encode()).digest()).decode()}"


@cache
def _asset(name: str) -> str:
    return files("cnnkit.report").joinpath(name).read_text(encoding="utf-8")


@cache
def _engine() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("cnnkit.report"),
        autoescape=jinja2.select_autoescape(["html"]),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
