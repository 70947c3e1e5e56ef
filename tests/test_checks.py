"""``python -m tests``: what pytest is told, and how the checks and the tests that run beside each other are heard."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests import __main__ as checks


def test_the_last_mode_wins_and_the_rest_is_pytests() -> None:
    assert checks.split_mode(["--slow", "-x", "--fast", "tests/feeds"]) == ("--fast", ["-x", "tests/feeds"])
    assert checks.split_mode(["-k", "slow"]) == ("", ["-k", "slow"])


def test_tests_run_in_workers_unless_the_caller_wants_none() -> None:
    assert checks.pytest_command("--fast", [])[3:7] == ("-m", "not process and not slow", "-n", "auto")
    # the caller's words come last, and pytest takes the last of two
    assert checks.pytest_command("", ["-n0"])[-1] == "-n0"
    for words in (["-p", "no:xdist"], ["-pno:xdist"]):
        assert "-n" not in checks.pytest_command("", words)


@pytest.mark.process
@pytest.mark.parametrize(("check", "test", "expected"), [(0, "pass", 0), (1, "pass", 1), (0, "assert 0", 1)])
def test_each_is_heard_whole_the_tests_last_and_any_failure_counts(
    check: int, test: str, expected: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    # both say more than a pipe holds, and the tests begin before the check has ended
    first = f"import time; time.sleep(0.7); print('a check ' * 20_000); raise SystemExit({check})"
    monkeypatch.setattr(checks, "CHECKS", (("one", (sys.executable, "-c", first)), ("two", (sys.executable, "-c", "print('more')"))))
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "test_inner.py").write_text(f"def test_it():\n    print('said ' * 40_000)\n    {test}\n")
    words = ["-c", str(tmp_path / "pytest.ini"), "-p", "no:cacheprovider", "-n0", "-rA", str(tmp_path / "test_inner.py")]
    assert checks.main(words) == expected
    out = capfdbinary.readouterr().out.decode()
    places = [out.index(words) for words in ("== one ==", "a check", "== two ==", "more", "== pytest ==", "said said")]
    assert places == sorted(places)
    assert out.count("a check ") == 20_000
    assert out.count("said ") >= 40_000
    assert ("one failed: the run will fail" in out) == bool(check)
    assert out.rstrip().splitlines()[-1].count(" in ") == 1
    assert ("1 failed" if test != "pass" else "1 passed") in out.rstrip().splitlines()[-1]
