"""Drafts of transcripts for recordings that have none, written beside them, to be read over."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from audio import sources, subtitles, transcribe
from audio.errors import SourceUnreadable
from production.beside import beside
from production.errors import StepFailed
from production.model import Episode, Project
from production.recordings import recording
from production.store import Store, write

Progress = Callable[[str, float, float | None], None]
"""Is told a section, how many of its seconds are heard, and of how many."""


def drafts(project: Project, episode: Episode, store: Store, progress: Progress) -> Iterator[Path]:
    """Write ``<recording>.vtt`` for each recording of an episode without a transcript, one after the other; gives the path of each.

    What is there is never written over. Raises TranscriberMissing, ConfigError for what beside a recording cannot be read, StepFailed for a recording
    that cannot be.
    """
    heard_by = transcribe.engine()
    for index, section in enumerate(episode.sections):
        path = recording(project, episode, section)
        if path is None or not path.is_file() or section.transcript or beside(project, episode, index, path, store).transcript:
            continue
        wanted = path.with_suffix(".vtt")
        if wanted.exists():
            continue
        try:
            source = sources.probe(path)
            cues = transcribe.transcribe(source, heard_by, lambda done, name=section.slug, of=source.declared: progress(name, done, of))  # type: ignore[misc]
        except SourceUnreadable as error:
            raise StepFailed(f"{episode.id}: transcribe: {section.slug}", str(error), hint=error.hint) from error
        write(wanted, subtitles.to_vtt(cues, note=f"A draft by {heard_by.name}: to be read over"))
        yield wanted
