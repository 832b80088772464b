"""What the template of the episode page takes from its view exists: Jinja shows nothing where a name is wrong."""

from __future__ import annotations

from dataclasses import fields

import pytest
from jinja2 import Environment, PackageLoader, nodes

from pipeline.site.episode import EpisodeView, Stored


def taken(template: nodes.Template, owner: str) -> set[str]:
    """The attributes that a template takes from ``view`` or ``stored``, wherever they stand."""
    found = set()
    for one in template.find_all(nodes.Getattr):
        if getattr(one.node, "name", getattr(one.node, "attr", None)) == owner:
            found.add(one.attr)
    return found


@pytest.mark.parametrize("name", ["archive_episode.html", "archive_question.html"])
def test_what_the_template_takes_from_its_view_is_there(name: str) -> None:
    environment = Environment(loader=PackageLoader("pipeline.site"), autoescape=True)
    source, _, _ = PackageLoader("pipeline.site").get_source(environment, name)
    template = environment.parse(source)
    assert taken(template, "view")
    assert taken(template, "view") <= {*dir(EpisodeView), *(one.name for one in fields(EpisodeView))}
    assert taken(template, "stored") <= {one.name for one in fields(Stored)}
