"""Command lines: what ffmpeg is asked to do, as values. The only `import ffmpeg` (ffmpeg-python), which compiles and never runs here.

Every function gives an argv. Of what it is given only the path of the input does not belong in the key of what comes out; the rest does, with RECIPE.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from audio.ffmpeg import url
from audio.source import Source
from audio.units import RATE, Samples

_QUIET = ("-hide_banner", "-nostdin", "-y", "-loglevel", "error")
RECIPE = 2
"""Raised when a command changes. Keys hold this and what the command is asked: a run that finds nothing to do compiles no command."""
LISTENING_RATE = 16_000
FOR_NOISE = ("afftdn",)
FILTERS = ("aresample", "aformat", "pan", "atrim", "asetpts", *FOR_NOISE)
"""Every filter that is used; those of `FOR_NOISE` only where noise is to be reduced."""
SAMPLE_BYTES = 4
"""Samples travel between processes as 32-bit floats: nothing clips or is rounded on the way."""


def _input(source: Source) -> Any:
    import ffmpeg

    # The cores are shared out by us; a FLAC that is decoded on several takes half as much work again.
    options: dict[str, Any] = {"threads": 1, **({"ignore_length": 1} if source.ignore_length else {})}
    if source.codec == "flac":
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
    """Two channels become mono by their mean; surround is folded down by ffmpeg."""
    if held == wanted:
        return stream
    if wanted == 1 and held == 2:
        return stream.filter("pan", args="mono|c0=0.5*c0+0.5*c1")
    layout = "mono" if wanted == 1 else "stereo"
    return stream.filter("aformat", channel_layouts=layout)


def describe(binary: str, path: Path, ignore_length: bool) -> list[str]:
    """Say what a file is, on stderr; ends with an error because no output is named."""
    options = ["-ignore_length", "1"] if ignore_length else []
    return [binary, "-hide_banner", "-nostdin", *options, "-i", url(path)]


def decode(binary: str, source: Source, channels: int, start: Samples, end: Samples | None) -> list[str]:
    """Decode [start, end) of a recording to f32le at 48 kHz on stdout, with at most ``channels`` channels."""
    stream = _to_channels(_at_rate(_input(source)), source.channels, min(source.channels, channels))
    if start or end is not None:
        stream = _cut(stream, start, end)
    stream = stream.filter("aformat", sample_fmts="flt", sample_rates=RATE)
    return _compile(stream.output("pipe:1", f="f32le", acodec="pcm_f32le", flush_packets=0), binary)


def listen(binary: str, source: Source) -> list[str]:
    """Decode a recording to 16-bit mono at `LISTENING_RATE` on stdout: what recognisers of speech are trained on."""
    stream = _input(source).filter("aformat", sample_fmts="s16", sample_rates=LISTENING_RATE, channel_layouts="mono")
    return _compile(stream.output("pipe:1", f="s16le", acodec="pcm_s16le", flush_packets=0), binary)


def _cut(stream: Any, start: Samples, end: Samples | None) -> Any:
    edges: dict[str, Any] = {"start_sample": start}
    if end is not None:
        edges["end_sample"] = end
    return stream.filter("atrim", **edges).filter("asetpts", "PTS-STARTPTS")


def encode(binary: str, bitrate: int, channels: int) -> list[str]:
    """f32le on stdin to bare MP3 frames on stdout: no tag, no Info header, the bit reservoir on, LAME's effort as ffmpeg sets it."""
    import ffmpeg

    stream = ffmpeg.input("pipe:0", f="f32le", ar=RATE, ac=channels)
    # Frames are handed on in large pieces: one by one they cost a fifth of the encoding itself.
    options = {"b:a": f"{bitrate}k", "write_xing": 0, "id3v2_version": 0, "map_metadata": -1, "flush_packets": 0}
    return _compile(stream.output("pipe:1", f="mp3", acodec="libmp3lame", **options), binary)


def decode_frames(binary: str, skip: Samples, length: Samples) -> list[str]:
    """Bare MP3 frames on stdin, decoded to f32le on stdout: the stretch [skip, skip+length)."""
    import ffmpeg

    stream = _cut(ffmpeg.input("pipe:0", f="mp3")["a:0"], skip, Samples(skip + length))
    return _compile(stream.output("pipe:1", f="f32le", acodec="pcm_f32le", flush_packets=0), binary)


def encode_aac(binary: str, bitrate: int, channels: int) -> list[str]:
    """f32le on stdin to AAC-LC on stdout, each frame with its ADTS header; ``bitrate`` in kb/s, on average."""
    import ffmpeg

    stream = ffmpeg.input("pipe:0", f="f32le", ar=RATE, ac=channels)
    options = {"b:a": f"{bitrate}k", "flags:a": "+bitexact", "map_metadata": -1, "flush_packets": 0}
    return _compile(stream.output("pipe:1", f="adts", acodec="aac", **options), binary)


def encode_opus(binary: str, bitrate: int, channels: int) -> list[str]:
    """f32le on stdin to Ogg Opus on stdout, in frames of 20 ms and pages of a second; ``bitrate`` in kb/s, on average.

    Bitexact, because the stream's number in the file would be a random one.
    """
    import ffmpeg

    stream = ffmpeg.input("pipe:0", f="f32le", ar=RATE, ac=channels)
    options = {"b:a": f"{bitrate}k", "vbr": "on", "flags:a": "+bitexact", "fflags": "+bitexact", "map_metadata": -1, "flush_packets": 0}
    return _compile(stream.output("pipe:1", f="ogg", acodec="libopus", **options), binary)


def about_encoder(binary: str, name: str) -> list[str]:
    """Say what an encoder can do, on stdout; of one that is not in this build, only that."""
    return [binary, "-hide_banner", "-h", f"encoder={name}"]


def denoise(binary: str, most: float, floor: float, bands: Sequence[float]) -> list[str]:
    """One channel of f32le through afftdn, which lowers noise by at most ``most`` dB and gives back as many samples.

    ``floor`` is dB under a full-scale sine, -80 to -20; ``bands`` are dB at afftdn's fifteen frequencies, -24 to 24, whose mean is at the floor.
    """
    import ffmpeg

    stream = ffmpeg.input("pipe:0", f="f32le", ar=RATE, ac=1)
    stream = stream.filter("afftdn", nr=most, nf=round(floor, 1), nt="custom", bn="|".join(f"{band:.1f}" for band in bands))
    return _compile(stream.output("pipe:1", f="f32le", acodec="pcm_f32le", flush_packets=0), binary)


def about_all(binary: str, what: str) -> list[str]:
    """List the ``encoders`` or the ``filters`` of a build, on stdout."""
    return [binary, "-hide_banner", f"-{what}"]


def about_filter(binary: str, name: str) -> list[str]:
    """Say what a filter can do, on stdout; of one that is not in this build, only that."""
    return [binary, "-hide_banner", "-h", f"filter={name}"]
