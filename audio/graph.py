"""Command lines: what ffmpeg is asked to do, as values. The only `import ffmpeg` (ffmpeg-python), which compiles and never runs here.

Every function gives an argv. The input is the last thing that a caller may replace by a digest to make a key of the command: nothing else in it
depends on where files are.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audio.ffmpeg import METADATA_FD, url
from audio.source import Source
from audio.units import RATE, Db, Samples

_QUIET = ("-hide_banner", "-nostdin", "-y", "-loglevel", "error")
SAMPLE_BYTES = 4
"""Samples travel between processes as 32-bit floats: nothing clips or is rounded on the way."""


@dataclass(frozen=True, slots=True)
class Edit:
    """What is done to a recording: the stretch [start, end) of its samples at 48 kHz, one linear ``gain`` in dB, a peak limiter with its
    ``ceiling`` in dBFS (None: it never reaches it), and fades in samples. ``channels`` is the programme's count.
    """

    start: Samples
    end: Samples
    gain: Db
    ceiling: Db | None
    fade_in: Samples
    fade_out: Samples
    channels: int

    @property
    def length(self) -> Samples:
        return Samples(self.end - self.start)


def _input(source: Source, *, strict: bool = False) -> Any:
    import ffmpeg

    options: dict[str, Any] = {"ignore_length": 1} if source.ignore_length else {}
    if strict and source.codec == "flac":
        # Only FLAC: its checksums are exact, while gain tools leave wrong ones in MP3s that are good.
        options["err_detect"] = "crccheck"
    return ffmpeg.input(url(source.path), **options)["a:0"]


def _compile(output: Any, binary: str) -> list[str]:
    import ffmpeg

    argv: list[str] = ffmpeg.compile(output, cmd=binary)
    return [argv[0], *_QUIET, *argv[1:]]


def _at_rate(stream: Any) -> Any:
    # Explicit, so that no later ffmpeg picks another resampler or dithers; soxr is not in every build.
    return stream.filter("aresample", RATE, resampler="swr", filter_size=64, phase_shift=10, cutoff=0.97, dither_method="none")


def _to_channels(stream: Any, held: int, wanted: int) -> Any:
    """Mono goes to both sides at full level (dual mono); two or more become mono by their mean; surround is folded down by ffmpeg."""
    if held == wanted:
        return stream
    if held == 1:
        return stream.filter("pan", args="stereo|c0=c0|c1=c0")
    if wanted == 1 and held == 2:
        return stream.filter("pan", args="mono|c0=0.5*c0+0.5*c1")
    layout = "mono" if wanted == 1 else "stereo"
    return stream.filter("aformat", channel_layouts=layout)


def describe(binary: str, path: Path, ignore_length: bool) -> list[str]:
    """Say what a file is, on stderr; ends with an error because no output is named."""
    options = ["-ignore_length", "1"] if ignore_length else []
    return [binary, "-hide_banner", "-nostdin", *options, "-i", url(path)]


def measure(binary: str, source: Source, channels: int, start: Samples, end: Samples | None) -> list[str]:
    """Decode [start, end) once: raw samples (float, at most the programme's channels) to stdout, momentary loudness to the metadata pipe."""
    import ffmpeg

    held = min(source.channels, channels)
    stream = _to_channels(_at_rate(_input(source, strict=True)), source.channels, held)
    if start or end is not None:
        stream = _cut(stream, start, end)
    # A mono recording is heard from both sides of a stereo programme: its loudness is measured as it will sound.
    dual = held == 1 and channels == 2
    return _compile(ffmpeg.merge_outputs(*_heard(stream.filter_multi_output("asplit"), dual=dual)), binary)


def _cut(stream: Any, start: Samples, end: Samples | None) -> Any:
    edges: dict[str, Any] = {"start_sample": start}
    if end is not None:
        edges["end_sample"] = end
    return stream.filter("atrim", **edges).filter("asetpts", "PTS-STARTPTS")


def render(binary: str, source: Source, edit: Edit) -> list[str]:
    """A recording cut, gained and faded: exactly ``edit.length`` samples of f32le on stdout, not limited yet."""
    stream = _cut(_at_rate(_input(source)), edit.start, edit.end)
    stream = _to_channels(stream, source.channels, edit.channels)
    if edit.gain:
        stream = stream.filter("volume", volume=f"{edit.gain:.4f}dB", precision="float")
    if edit.fade_in:
        # The quarter sine is half up after a third of its length: a section that begins at once is not heard late.
        stream = stream.filter("afade", type="in", start_sample=0, nb_samples=edit.fade_in, curve="qsin")
    if edit.fade_out:
        stream = stream.filter("afade", type="out", start_sample=edit.length - edit.fade_out, nb_samples=edit.fade_out, curve="hsin")
    stream = stream.filter("aformat", sample_fmts="flt", sample_rates=RATE)
    return _compile(stream.output("pipe:1", f="f32le", acodec="pcm_f32le"), binary)


def encode(binary: str, bitrate: int, channels: int, make_up: Db) -> list[str]:
    """f32le on stdin to bare MP3 frames on stdout: no tag, no Info header, the bit reservoir on, LAME's effort as ffmpeg sets it.

    ``make_up`` undoes what LAME takes off the level (see `encode.make_up`).
    """
    import ffmpeg

    stream = ffmpeg.input("pipe:0", f="f32le", ar=RATE, ac=channels)
    if make_up:
        stream = stream.filter("volume", volume=f"{make_up:.2f}dB", precision="float")
    options = {"b:a": f"{bitrate}k", "write_xing": 0, "id3v2_version": 0, "map_metadata": -1}
    return _compile(stream.output("pipe:1", f="mp3", acodec="libmp3lame", **options), binary)


def verify(binary: str, skip: Samples, length: Samples) -> list[str]:
    """Bare MP3 frames on stdin, decoded: the stretch [skip, skip+length) as f32le on stdout, its momentary loudness to the metadata pipe."""
    import ffmpeg

    both = _cut(ffmpeg.input("pipe:0", f="mp3")["a:0"], skip, Samples(skip + length)).filter_multi_output("asplit")
    return _compile(ffmpeg.merge_outputs(*_heard(both, dual=False)), binary)


def _heard(both: Any, *, dual: bool) -> tuple[Any, Any]:
    """Two outputs of one stream: momentary loudness every 100 ms as text, and the samples themselves."""
    loudness = both[0].filter("ebur128", metadata=1, dualmono=int(dual), framelog="verbose")
    loudness = loudness.filter("ametadata", mode="print", key="lavfi.r128.M", file=f"pipe:{METADATA_FD}")
    samples = both[1].filter("aformat", sample_fmts="flt")
    return loudness.output("-", f="null"), samples.output("pipe:1", f="f32le", acodec="pcm_f32le")


def decode_frames(binary: str, skip: Samples, length: Samples) -> list[str]:
    """Bare MP3 frames on stdin, decoded to f32le on stdout: the stretch [skip, skip+length)."""
    import ffmpeg

    stream = _cut(ffmpeg.input("pipe:0", f="mp3")["a:0"], skip, Samples(skip + length))
    return _compile(stream.output("pipe:1", f="f32le", acodec="pcm_f32le"), binary)
