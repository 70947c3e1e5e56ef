"""The pages as `produce serve` gives them: what is built, from this machine, and newer when something changed."""

from __future__ import annotations

import pytest
from lxml import html  # type: ignore[import-untyped, unused-ignore]

from tests.production.test_serve import Running, an_episode, finish, rendered, root, running, sound, write

__all__ = ["rendered", "root", "running"]

PAGE = "/site/episodes/episode-01.html"


@pytest.mark.process
def test_a_page_is_served_with_all_that_it_needs(running: Running) -> None:
    status, fields, body = running.ask(PAGE)
    assert (status, fields["content-type"]) == (200, "text/html; charset=utf-8")
    tree = html.document_fromstring(body.decode())
    (audio,) = tree.xpath("//audio/@src")
    assert audio.startswith("../../episode-01/episode-01-")
    assert running.body(audio.removeprefix("../..")) == sound(1)
    # a chapter's picture has the address that it will have in its list, and is here all the same
    assert running.body(tree.xpath("//ol[@class='chapters']//img/@src")[0].removeprefix("../..")) == b"\xff\xd8 a chapter"
    for address in (*tree.xpath("//script/@src"), *tree.xpath("//link[@rel='stylesheet']/@href")):
        assert running.ask(address.replace("..", "/site").partition("?")[0])[0] == 200
    assert "connect-src 'self'" in tree.xpath("//meta[@http-equiv]/@content")[0]
    assert "https://" not in " ".join(tree.xpath("//meta[@http-equiv]/@content"))
    assert PAGE.removeprefix("/") in running.body("/").decode()
    assert running.told == []


@pytest.mark.process
def test_a_page_is_another_one_when_its_config_changes(running: Running) -> None:
    tag = running.ask(PAGE, "HEAD")[1]["etag"]
    assert running.ask(PAGE, "HEAD")[1]["etag"] == tag
    write(running.root / "configs/episodes/episode-01.yaml", an_episode(1, title="Renamed"))
    status, fields, _ = running.ask(PAGE, "HEAD")
    assert status == 200
    assert fields["etag"] != tag
    assert b"Renamed" in running.body(PAGE)
    assert running.ask("/site/episodes/episode-03.html")[0] == 404
    finish(running.root, 3, sound(3))
    assert running.ask("/site/episodes/episode-03.html")[0] == 200


@pytest.mark.process
def test_only_pages_are_under_the_site(running: Running) -> None:
    assert running.body("/site/") == running.body("/site/index.html")
    for path in ("/site", "/site/episodes/", "/site/episodes/episode-02.html", "/site/../configs/show.yaml", "/site/templates/base.html"):
        assert running.ask(path)[0] == 404, path
