"""What a command cost is found of the command and of everything that it started."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from benchmarks.measure import PROC, Failed, Meter, tree

pytestmark = pytest.mark.process

GRANDCHILD = """
import time
held = bytearray(b"x") * 60_000_000
end = time.process_time() + 0.3
while time.process_time() < end:
    pass
time.sleep(0.3)
"""
CHILD = f"""
import os, subprocess, sys, tempfile, time
with tempfile.TemporaryFile(dir=".") as nameless, open("kept", "wb") as kept:
    kept.write(os.urandom(2_000_000))
    nameless.write(os.urandom(7_000_000))
    kept.flush(), nameless.flush()
    subprocess.run([sys.executable, "-c", {GRANDCHILD!r}], check=True)
    time.sleep(0.4)
print("done", file=sys.stderr)
"""


@pytest.mark.skipif(not PROC.is_dir(), reason="this system has no /proc")
def test_time_memory_and_room_are_those_of_the_whole_tree(tmp_path: Path) -> None:
    meter = Meter(tmp_path, os.environ)
    said = meter.run([sys.executable, "-c", CHILD], cwd=tmp_path)
    found = meter.figures()
    assert said == "done\n"
    assert found.wall_s > 0.9
    assert 0.3 < found.cpu_s < 3
    assert found.memory_mb is not None
    assert 65 < found.memory_mb < 160
    assert 8.9 < found.disk_mb < 12
    assert 1.9 < found.left_mb < 3


def test_commands_of_one_contender_are_added_up(tmp_path: Path) -> None:
    meter = Meter(tmp_path, os.environ)
    meter.run([sys.executable, "-c", "import time; time.sleep(0.2)"])
    once = meter.figures().wall_s
    meter.run([sys.executable, "-c", "import time; time.sleep(0.2)"])
    assert meter.figures().wall_s > once + 0.2


def test_a_command_that_fails_says_so_in_its_own_words_and_names_no_folder(tmp_path: Path) -> None:
    with pytest.raises(Failed, match=r"^exit code 3: …/there is wrong$"):
        Meter(tmp_path, os.environ).run([sys.executable, "-c", f"import sys; print('{tmp_path}/there is wrong', file=sys.stderr); sys.exit(3)"])
    with pytest.raises(Failed, match=r"^ended by signal 9$"):
        Meter(tmp_path, os.environ).run([sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"])


def _gives_what_it_has_not() -> bool:
    """Whether this system lets a process have more address space than there is memory."""
    mode = Path("/proc/sys/vm/overcommit_memory")
    return mode.is_file() and mode.read_text().strip() != "2"


@pytest.mark.skipif(sys.platform != "linux" or not _gives_what_it_has_not(), reason="there is nothing to limit, or no way to do it from outside")
def test_a_command_that_wants_more_memory_than_there_is_fails_alone(tmp_path: Path) -> None:
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    # Address space that is never touched: without the limit it would be given.
    map_it = f"mmap.mmap(-1, {memory // 2}, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)"
    greedy = f"import mmap, time; time.sleep(0.3); held = [{map_it} for _ in range(3)]"
    Meter(tmp_path, os.environ).run([sys.executable, "-c", greedy])
    with pytest.raises(Failed, match="Cannot allocate memory"):
        Meter(tmp_path, os.environ).run([sys.executable, "-c", greedy], limited=True)


@pytest.mark.skipif(not PROC.is_dir(), reason="this system has no /proc")
def test_a_process_belongs_to_its_own_tree() -> None:
    assert os.getpid() in tree(os.getpid())
