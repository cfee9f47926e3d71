"""The commands of dev/, as far as they can be looked at without a database."""

import signal
import sys
import threading
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "dev"))

from devtools.command_test import _files_of, _is_path, _kinds  # noqa: E402
from devtools.side_by_side import Crew, how_far  # noqa: E402


@pytest.mark.parametrize("word", ["engine", "data", "models", "owner", "README.rst"])
def test_a_word_that_names_another_file_is_a_name_of_tests(word):
    assert not _is_path(word)


@pytest.mark.parametrize(
    ("path", "kinds"),
    [
        ("tests/test_rule.py", ("odoo",)),
        ("./tests/test_rule.py::TestRule", ("odoo",)),
        ("tests_pure", ("pure",)),
        ("tests_processes/test_ledger.py", ("processes",)),
        ("tests_processes/test_queue_job.py::test_x", ("queue",)),
        ("tests_processes/test_accounts_others.py", ("others",)),
        ("tests_processes/test_accounts_random.py::test_x", ("accounts",)),
        ("tests_processes/", ("processes", "accounts", "queue", "others")),
    ],
)
def test_a_path_of_tests_selects_its_part(path, kinds):
    assert _is_path(path)
    assert _kinds(path) == kinds


def test_a_part_of_the_folder_runs_its_files_and_no_others():
    chosen = _files_of("processes", ["./tests_processes/"])
    assert "tests_processes/test_ledger.py" in chosen
    assert {_kinds(path) for path in chosen} == {("processes",)}
    # However the folder is written, and whatever of it is named beside it.
    for paths in ([], ["tests_processes"], ["tests_processes", "tests_processes/test_ledger.py"]):
        assert _files_of("processes", paths) == chosen
    one = ["tests_processes/test_accounts.py::test_x"]
    assert _files_of("accounts", one) == one


def shell(line, **more):
    """What makes a command of a crew."""
    values = {"environment": None, "cwd": "/", "finish": lambda: None, **more}
    return lambda: (["sh", "-c", line], *values.values())


def test_side_by_side_what_each_said_stands_whole(tmp_path, capfd):
    ended = []
    with Crew(tmp_path, 2) as crew:
        # Each waits for the other: in turn they would never end.
        for name, other in (("one", "two"), ("two", "one")):
            line = (
                f"echo {name} begins; touch {tmp_path}/{name};"
                f" until test -e {tmp_path}/{other}; do sleep 0.05; done; echo {name} ends"
            )
            crew.start(name, name.title(), shell(line, finish=lambda n=name: ended.append(n)))
        crew.start("bad", "Bad", shell("echo it fails >&2; exit 3"))
    told = capfd.readouterr().err
    assert crew.results == {"one": 0, "two": 0, "bad": 3}
    assert sorted(ended) == ["one", "two"]
    for name in ("one", "two"):
        assert f"=== {name.title()}\n{name} begins\n{name} ends\n" in told
    assert "=== Bad\nit fails\n" in told
    assert not list(tmp_path.glob("*.out"))


def test_one_alone_is_seen_as_it_goes(tmp_path, capfd):
    with Crew(tmp_path, 1) as crew:
        crew.start("one", "One", shell("echo it goes"))
        crew.start("two", "Two", shell(f"test ! -e {tmp_path}/one.out"))
    assert "it goes" in capfd.readouterr().out
    assert crew.results == {"one": 0, "two": 0}


@pytest.mark.parametrize("is_waiting", [False, True])
def test_stopped_all_of_them_end_and_put_their_things_away(tmp_path, capfd, is_waiting):
    """While others are being started, or while all that is left is to wait for them."""
    line = "trap 'echo away; exit 1' INT; touch {0}/up; while true; do sleep 0.1; done"
    ended = []
    with pytest.raises(KeyboardInterrupt), Crew(tmp_path, 2) as crew:
        finish = lambda: ended.append(True)  # noqa: E731
        crew.start("one", "One", shell(line.format(tmp_path), finish=finish))
        end = time.monotonic() + 20
        while not (tmp_path / "up").exists():
            assert time.monotonic() < end
            time.sleep(0.05)
        if is_waiting:
            threading.Timer(0.3, signal.raise_signal, [signal.SIGINT]).start()
        else:
            raise KeyboardInterrupt
    assert ended == [True]
    assert "=== One\naway" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("text", "far"),
    [
        ("", "0 %"),
        ("collected 3 items\n\nt/test_a.py ..", "0 %"),
        ("t/test_a.py ..F     [ 40%]\n..E.          [ 66%]\n.", "66 % (2 failed)"),
    ],
)  # fmt: skip
def test_how_far_the_tests_are(tmp_path, text, far):
    (tmp_path / "out").write_text(text)
    assert how_far(tmp_path / "out") == far
