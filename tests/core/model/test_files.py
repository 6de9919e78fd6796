"""The files of a model are found in folders, in order, and read as UTF-8."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from dagfoundry.errors import Finding
from dagfoundry.model.files import ModelFile, find_files, read_file

if TYPE_CHECKING:
    from pathlib import Path


def touch(folder: Path, *names: str) -> None:
    """Make empty files, with the folders they are in."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def test_a_folder_gives_its_yaml_files_in_order(tmp_path: Path) -> None:
    """Files of a folder come before those of its sub-folders, each sorted; hidden ones never."""
    touch(tmp_path, "b.yaml", "a.yml", "notes.md", ".c.yaml", ".git/d.yaml", "x/f.yaml", "x/e.yml")
    files, findings = find_files([tmp_path])
    assert [str(file.relative_to(tmp_path)) for file in files] == [
        "a.yml",
        "b.yaml",
        "x/e.yml",
        "x/f.yaml",
    ]
    assert findings == []


def test_a_file_may_have_any_name(tmp_path: Path) -> None:
    """A file that is named is read, whatever its suffix."""
    touch(tmp_path, "model.txt")
    assert find_files([tmp_path / "model.txt"]) == ([tmp_path / "model.txt"], [])


def test_a_file_counts_once(tmp_path: Path) -> None:
    """A file named twice, or once more through its folder or a link, is read once."""
    touch(tmp_path, "a.yaml")
    (tmp_path / "link.yaml").symlink_to(tmp_path / "a.yaml")
    assert find_files([tmp_path / "a.yaml", tmp_path]) == ([tmp_path / "a.yaml"], [])


def test_files_mounted_from_a_config_map_are_read(tmp_path: Path) -> None:
    """Kubernetes links each file into a hidden folder beside it."""
    touch(tmp_path, "..2026/a.yaml")
    (tmp_path / "..data").symlink_to("..2026")
    (tmp_path / "a.yaml").symlink_to("..data/a.yaml")
    assert find_files([tmp_path])[0] == [tmp_path / "a.yaml"]


def test_what_is_missing_is_told_for_each_path(tmp_path: Path) -> None:
    """A path that leads nowhere and a folder without YAML are one finding each."""
    touch(tmp_path, "empty/readme.md")
    files, findings = find_files([tmp_path / "gone", tmp_path / "empty"])
    assert files == []
    assert [finding.what for finding in findings] == [
        f"there is no file or folder {tmp_path / 'gone'}",
        f"the folder {tmp_path / 'empty'} holds no model",
    ]


def test_a_byte_order_mark_is_left_out(tmp_path: Path) -> None:
    """An editor's mark at the beginning is no part of the model."""
    path = tmp_path / "a.yaml"
    path.write_bytes(b"\xef\xbb\xbffoundry: A\n")
    file = read_file(path)
    assert isinstance(file, ModelFile)
    assert file.text == "foundry: A\n"


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (b"foundry: caf\xe9\n", "1:13"),
        ("a: ä\r\nb: ".encode() + b"\xff", "2:4"),
        (b"\xff\xfe", "1:1"),
    ],
)
def test_bytes_that_are_no_utf8_have_a_place(tmp_path: Path, content: bytes, place: str) -> None:
    """The first wrong byte is named with its line and column."""
    path = tmp_path / "a.yaml"
    path.write_bytes(content)
    found = read_file(path)
    assert isinstance(found, Finding)
    assert str(found.place) == f"{path}:{place}"
    assert "is no UTF-8 text" in found.what


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_that_may_not_be_read_is_one_finding(tmp_path: Path) -> None:
    """A file without permission is named with the system's reason."""
    path = tmp_path / "a.yaml"
    path.touch(mode=0o000)
    found = read_file(path)
    assert isinstance(found, Finding)
    assert "Permission denied" in found.what


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every folder")
def test_a_folder_that_may_not_be_read_is_one_finding(tmp_path: Path) -> None:
    """A part of a model is never left out in silence: its entries would be retired."""
    touch(tmp_path, "a.yaml", "sub/b.yaml")
    (tmp_path / "sub").chmod(0o000)
    _, findings = find_files([tmp_path])
    (tmp_path / "sub").chmod(0o700)
    assert [f"{tmp_path / 'sub'} cannot be read: Permission denied"] == [f.what for f in findings]


def test_a_folder_cannot_be_read_as_a_file(tmp_path: Path) -> None:
    """A path that became a folder meanwhile is one finding."""
    found = read_file(tmp_path)
    assert isinstance(found, Finding)
    assert f"{tmp_path} cannot be read: Is a directory" in found.what
