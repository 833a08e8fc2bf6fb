"""`get_file`: only whole, verified files reach the cache, and no archive writes outside its folder."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import tarfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from torchkeras_compat.utils import archives, files
from torchkeras_compat.utils.files import DownloadError, get_file

DATA = b"0123456789" * 1000


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "web" / "data.bin"
    path.parent.mkdir()
    path.write_bytes(DATA)
    return path


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    folder = tmp_path / "cache"
    (folder / "datasets").mkdir(parents=True)
    (folder / "datasets" / "mine.txt").write_text("kept")
    return folder


@pytest.fixture(autouse=True)
def no_folder_of_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(files.FOLDER_VARIABLE, raising=False)


def listing(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


class Server(ThreadingHTTPServer):
    sent = 0


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.server.sent += 1  # type: ignore[attr-defined]
        if self.path == "/missing":
            self.send_error(404)
            return
        body = DATA[: len(DATA) // 2] if self.path == "/cut" else DATA
        self.send_response(200)
        if self.path != "/endless":
            self.send_header("Content-Length", str(len(DATA)))
        self.end_headers()
        self.wfile.write(body)
        if self.path == "/endless":
            with open(os.devnull, "wb"):
                for _ in range(200):
                    self.wfile.write(DATA)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def url(server: Server, path: str) -> str:
    return f"http://127.0.0.1:{server.server_address[1]}/{path}"


def test_download_is_cached(server: Server, cache: Path) -> None:
    path = get_file("a.bin", url(server, "a"), cache_dir=cache)
    assert Path(path) == cache / "datasets" / "a.bin"
    assert Path(path).read_bytes() == DATA
    assert get_file("a.bin", url(server, "a"), cache_dir=cache) == path
    assert server.sent == 1
    assert get_file(origin=url(server, "b.bin?x=1"), cache_dir=cache).endswith("b.bin")


@pytest.mark.parametrize("algorithm", ["sha256", "md5"])
def test_hash_is_checked(algorithm: str, source: Path, cache: Path) -> None:
    right = hashlib.new(algorithm, DATA).hexdigest()
    path = get_file("a.bin", source.as_uri(), file_hash=right.upper(), cache_dir=cache)
    before = listing(cache)
    Path(path).write_bytes(b"stale")
    with pytest.raises(DownloadError, match=f"the {algorithm} hash must be"):
        get_file("a.bin", source.as_uri(), file_hash="0" * len(right), cache_dir=cache)
    assert Path(path).read_bytes() == b"stale"  # what was there stays until something verified replaces it
    assert listing(cache) == before
    get_file("a.bin", source.as_uri(), file_hash=right, cache_dir=cache)
    assert Path(path).read_bytes() == DATA
    if algorithm == "md5":
        assert get_file("b.bin", source.as_uri(), md5_hash=right, cache_dir=cache).endswith("b.bin")


@pytest.mark.parametrize(("path", "message"), [("cut", "cut short|IncompleteRead"), ("missing", "404")])
def test_failed_download_leaves_nothing(path: str, message: str, server: Server, cache: Path) -> None:
    before = listing(cache)
    with pytest.raises(DownloadError, match=message):
        get_file("a.bin", url(server, path), cache_dir=cache)
    assert listing(cache) == before


def test_endless_download_is_stopped(server: Server, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_BYTES", 50_000)
    before = listing(cache)
    with pytest.raises(DownloadError, match=r"larger than utils\.files\.MAX_BYTES"):
        get_file("a.bin", url(server, "endless"), cache_dir=cache)
    assert listing(cache) == before


@pytest.mark.parametrize("name", ["../a", "a/b", "/etc/a", "", "..", ".", "a\\b", "%2e%2e%2fa", "C:a", "a\0b"])
def test_name_with_folders_is_refused(name: str, source: Path, cache: Path) -> None:
    before = listing(cache.parent)
    with pytest.raises(ValueError, match=r"get_file\(fname="):
        get_file(name, source.as_uri(), cache_dir=cache)
    assert listing(cache.parent) == before


@pytest.mark.parametrize(
    "origin",
    ["http://x/", "http://x/..", "http://x/a/../b", "http://x/%2e%2e/a", "http://x/..%2fa", "data:,x", "a.bin", ""],
)
def test_bad_url_is_refused(origin: str, cache: Path) -> None:
    with pytest.raises(ValueError, match=r"get_file\(origin="):
        get_file(None, origin, cache_dir=cache)


def test_subfolder_that_leaves_the_cache_is_refused(source: Path, cache: Path) -> None:
    with pytest.raises(ValueError, match="must not leave the cache"):
        get_file("a", source.as_uri(), cache_dir=cache, cache_subdir="../up")


def test_planted_link_is_replaced_not_followed(source: Path, cache: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    os.symlink(victim, cache / "datasets" / "a.bin")
    path = Path(get_file("a.bin", source.as_uri(), cache_dir=cache))
    assert not victim.exists()
    assert not path.is_symlink()
    victim.write_text("precious")
    path.unlink()
    os.symlink(victim, path)
    get_file("a.bin", source.as_uri(), file_hash=hashlib.sha256(DATA).hexdigest(), cache_dir=cache)
    assert victim.read_text() == "precious"
    assert not path.is_symlink()


def test_folder_of_data_is_used_as_it_is(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(files.FOLDER_VARIABLE, str(source.parent))
    monkeypatch.setenv("KERAS_HOME", str(source.parent / "home"))
    assert get_file("data.bin", "http://127.0.0.1:9/none", file_hash="0" * 64) == str(source)


def test_home_that_cannot_be_written_to(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv("KERAS_HOME", str(blocked / "x"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    path = Path(get_file("a.bin", source.as_uri()))
    assert path.read_bytes() == DATA
    private = path.parent.parent
    assert private.stat().st_mode & 0o077 == 0
    private.chmod(0o777)
    with pytest.raises(PermissionError, match="not a private folder"):
        get_file("a.bin", source.as_uri())


# --- archives -------------------------------------------------------------------------------------------------------


def member(
    name: str, data: bytes = b"x", kind: bytes = tarfile.REGTYPE, target: str = ""
) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    info.size = len(data) if kind == tarfile.REGTYPE else 0
    return info, data


def tar(path: Path, *members: tuple[tarfile.TarInfo, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for info, data in members:
            archive.addfile(info, io.BytesIO(data) if info.size else None)
    return path


def test_untar_gives_the_folder(tmp_path: Path, cache: Path) -> None:
    source = tar(tmp_path / "set.tar.gz", member("set/a", b"one"), member("set/deep/b", b"two"))
    folder = get_file("set", source.as_uri(), untar=True, cache_dir=cache)
    assert Path(folder) == cache / "datasets" / "set"
    assert Path(folder, "deep", "b").read_bytes() == b"two"
    assert get_file("set.tar.gz", source.as_uri(), untar=True, cache_dir=cache) == folder
    assert listing(cache / "datasets") == {"mine.txt", "set.tar.gz", "set", "set/a", "set/deep", "set/deep/b"}


@pytest.mark.parametrize("suffix", ["zip", "tar.gz"])
def test_extract_merges_and_keeps_what_else_is_there(suffix: str, tmp_path: Path, cache: Path) -> None:
    source = tmp_path / f"set.{suffix}"
    if suffix == "zip":
        with zipfile.ZipFile(source, "w") as archive:
            archive.writestr("set/a", "one")
            archive.writestr("set/empty/", "")
    else:
        tar(source, member("set/a", b"one"), member("set/empty", kind=tarfile.DIRTYPE))
    path = get_file(source.name, source.as_uri(), extract=True, cache_dir=cache)
    folder = cache / "datasets" / "set"
    assert Path(path) == cache / "datasets" / source.name
    (folder / "own").write_text("kept")
    (folder / "a").write_text("changed")
    get_file(source.name, source.as_uri(), extract=True, cache_dir=cache)
    assert (folder / "a").read_text() == "one"
    assert (folder / "own").read_text() == "kept"
    assert (folder / "empty").is_dir()


def test_links_inside_an_archive_are_kept(tmp_path: Path) -> None:
    source = tar(tmp_path / "s.tar.gz", member("s/a", b"one"), member("s/b", kind=tarfile.SYMTYPE, target="a"))
    assert archives.extract(str(source), str(tmp_path))
    assert (tmp_path / "s" / "b").read_bytes() == b"one"


LINK, HARD = tarfile.SYMTYPE, tarfile.LNKTYPE
HOSTILE: dict[str, Callable[[Path], list[tuple[tarfile.TarInfo, bytes]]]] = {
    "parent": lambda out: [member("../out/evil")],
    "inner parent": lambda out: [member("a/../../out/evil")],
    "absolute": lambda out: [member(str(out / "evil"))],
    "backslash": lambda out: [member("..\\out\\evil")],
    "drive": lambda out: [member("C:/evil")],
    "prefix twin": lambda out: [member("../cache-evil/evil")],
    "link out": lambda out: [member("l", kind=LINK, target="../out"), member("l/evil")],
    "absolute link": lambda out: [member("l", kind=LINK, target=str(out)), member("l/evil")],
    "link to a link": lambda out: [
        member("a", kind=tarfile.DIRTYPE),
        member("a/b", kind=LINK, target="."),
        member("a/b/c", kind=LINK, target=".."),
        member("a/b/c/evil"),
    ],
    "chain": lambda out: [
        member("d/one", kind=LINK, target="../e"),
        member("e", kind=LINK, target="d/one/.."),
        member("e/evil"),
    ],
    "file through a link": lambda out: [member("l", kind=LINK, target="k"), member("l")],
    "hard link out": lambda out: [member("h", kind=HARD, target="../out/victim"), member("h")],
    "hard link to nothing": lambda out: [member("h", kind=HARD, target="nothing")],
    "hard link to a link": lambda out: [member("s", kind=LINK, target="t"), member("h", kind=HARD, target="s")],
    "device": lambda out: [member("dev", kind=tarfile.CHRTYPE)],
    "pipe": lambda out: [member("pipe", kind=tarfile.FIFOTYPE)],
    "long link": lambda out: [member("l", kind=LINK, target="a/" * 2000)],
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_tar_is_refused(name: str, tmp_path: Path, cache: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "victim").write_text("precious")
    source = tar(tmp_path / "bad.tar.gz", *HOSTILE[name](out))
    with pytest.raises(ValueError, match=r"the (archive's folder|member|link|archive)"):
        get_file("bad.tar.gz", source.as_uri(), extract=True, cache_dir=cache)
    assert listing(out) == {"victim"}
    assert (out / "victim").read_text() == "precious"
    assert listing(cache / "datasets") == {"mine.txt", "bad.tar.gz"}
    assert not (tmp_path / "cache-evil").exists()


@pytest.mark.parametrize("name", ["../evil", "/evil", "a\\..\\evil", "C:/evil", "link"])
def test_hostile_zip_is_refused(name: str, tmp_path: Path, cache: Path) -> None:
    source = tmp_path / "bad.zip"
    with zipfile.ZipFile(source, "w") as archive:
        info = zipfile.ZipInfo(name)
        info.filename = name
        if name == "link":
            info.external_attr = 0o120777 << 16
        archive.writestr(info, "../../out")
    with pytest.raises(archives.ArchiveError, match=r"leaves the archive's folder|is a link"):
        get_file("bad.zip", source.as_uri(), extract=True, cache_dir=cache)
    assert listing(cache / "datasets") == {"mine.txt", "bad.zip"}


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_bomb_is_refused_before_it_fills_the_disk(
    kind: str, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "MAX_BYTES", 100_000)
    source = tmp_path / "bomb"
    if kind == "zip":
        with zipfile.ZipFile(source, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("zeros", bytes(200_000))
    else:
        tar(source, member("zeros", bytes(200_000)))
    with pytest.raises(archives.ArchiveError, match="unpacks to more than"):
        get_file("bomb", source.as_uri(), extract=True, cache_dir=cache)
    assert listing(cache / "datasets") == {"mine.txt", "bomb"}


def test_tar_that_promises_more_than_it_has(tmp_path: Path, cache: Path) -> None:
    info = tarfile.TarInfo("huge")
    info.size = 2**40
    source = tmp_path / "huge.tar.gz"
    source.write_bytes(gzip.compress(info.tobuf()))
    with pytest.raises(archives.ArchiveError):
        get_file("huge.tar.gz", source.as_uri(), extract=True, cache_dir=cache)
    assert listing(cache / "datasets") == {"mine.txt", "huge.tar.gz"}


def test_damaged_archive_is_named(tmp_path: Path, cache: Path) -> None:
    whole = tar(tmp_path / "whole.tar.gz", member("set/a", os.urandom(50_000)))
    source = tmp_path / "set.tar.gz"
    source.write_bytes(whole.read_bytes()[:20_000])
    with pytest.raises(archives.ArchiveError, match="damaged"):
        get_file("set", source.as_uri(), untar=True, cache_dir=cache)
    assert listing(cache / "datasets") == {"mine.txt", "set.tar.gz"}


TWISTED = [("a", "a/b"), ("a/b", "a"), ("set/" + "a" * 300,)]


@pytest.mark.parametrize(
    ("kind", "names"), [*(("zip", names) for names in [*TWISTED, ("a", "a/")]), *(("tar", names) for names in TWISTED)]
)
def test_members_that_cannot_stand_beside_each_other(
    kind: str, names: tuple[str, ...], tmp_path: Path, cache: Path
) -> None:
    source = tmp_path / "set"
    if kind == "zip":
        with zipfile.ZipFile(source, "w") as archive:
            for name in names:
                archive.writestr(name, b"" if name.endswith("/") else b"one")
    else:
        tar(source, *(member(name, b"one") for name in names))
    with pytest.raises(archives.ArchiveError, match="damaged, or not safe"):
        get_file("set.bin", source.as_uri(), extract=True, cache_dir=cache)
    assert listing(cache / "datasets") == {"mine.txt", "set.bin"}


def test_planted_link_is_not_extracted_through(tmp_path: Path, cache: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    os.symlink(out, cache / "datasets" / "set")
    source = tar(tmp_path / "s.tar.gz", member("set/a", b"one"))
    with pytest.raises(archives.ArchiveError, match="a file or a link stands where"):
        get_file("s.tar.gz", source.as_uri(), extract=True, cache_dir=cache)
    assert listing(out) == set()


def test_file_that_is_no_archive_is_left_as_it_is(source: Path, cache: Path) -> None:
    assert get_file("data.bin", source.as_uri(), extract=True, cache_dir=cache).endswith("data.bin")
    assert not archives.extract(str(source), str(cache), None)
    with pytest.raises(ValueError, match="archive_format must be one of"):
        get_file("data.bin", source.as_uri(), extract=True, archive_format="rar", cache_dir=cache)
