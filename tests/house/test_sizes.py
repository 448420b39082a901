"""Rules about files that no linter knows: how long one may be, and what none may be called."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
LONGEST = 400
OURS = {".py", ".go", ".ts"}  # a proto file is as long as its service
GENERATED = ("gen/",)
SAYING_NOTHING = {"common", "utils", "helpers", "base", "core"}


def our_files() -> Iterator[Path]:
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--deduplicate"]
    names = subprocess.run(listing, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in names.splitlines():
        path = Path(name)
        if path.suffix in OURS and not name.startswith(GENERATED) and (ROOT / path).exists():
            yield path


def test_no_file_is_longer_than_400_lines() -> None:
    lengths = {
        str(path): len((ROOT / path).read_text().splitlines()) for path in our_files() if "migrations" not in path.parts
    }
    assert lengths, "no files found: this test looked in the wrong place"
    too_long = {name: length for name, length in lengths.items() if length > LONGEST}
    assert not too_long, "split by noun or by kind"


def test_no_module_or_folder_has_a_name_that_says_nothing() -> None:
    empty_names = [str(path) for path in our_files() if SAYING_NOTHING & {path.stem, *path.parent.parts}]
    assert not empty_names
