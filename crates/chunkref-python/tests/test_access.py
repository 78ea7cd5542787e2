# SPDX-License-Identifier: MIT OR Apache-2.0
"""What references may name, and where credentials go."""

import http.server
import json
import pathlib
import pickle
import shutil
import threading

import pytest
import xarray

import chunkref
from chunkref.store import ChunkrefStore

SECRET = b"TOPSECRET-LOCAL-FILE-0123456789\n"


def references(url):
    """References with one array of bytes at a URL."""
    array = {"zarr_format": 2, "shape": [32], "chunks": [32], "dtype": "|u1", "order": "C"}
    array.update(fill_value=None, filters=None, compressor=None)
    return {
        "version": 1,
        "refs": {
            ".zgroup": '{"zarr_format":2}',
            "t/.zarray": json.dumps(array),
            "t/.zattrs": '{"_ARRAY_DIMENSIONS":["x"]}',
            "t/0": [url, 0, 32],
        },
    }


@pytest.fixture
def server(tmp_path):
    """A server on loopback that keeps the headers it is sent."""
    folder, seen = tmp_path / "served", []
    folder.mkdir()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            seen.append({name.lower(): value for name, value in self.headers.items()})
            body = (folder / self.path.strip("/")).read_bytes()
            start, end = self.headers.get("Range", f"bytes=0-{len(body) - 1}").removeprefix("bytes=").split("-")
            part = body[int(start) : int(end) + 1]
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{int(start) + len(part) - 1}/{len(body)}")
            self.send_header("Content-Length", str(len(part)))
            self.end_headers()
            self.wfile.write(part)

        def log_message(self, *arguments):
            pass

    running = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{running.server_address[1]}", folder, seen
    running.shutdown()
    running.server_close()


def test_secrets_of_this_machine_are_not_read(tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_bytes(SECRET)
    sets = tmp_path / "sets"
    sets.mkdir()
    for url in (str(secret), f"file://{secret}", "/etc/passwd", "/proc/self/environ"):
        path = sets / "set.json"
        path.write_text(json.dumps(references(url)))
        for given in (str(path), references(url), chunkref.References.open(path)):
            with pytest.raises(chunkref.PermissionDeniedError, match="allow="):
                chunkref.open_dataset(given)["t"].load()
        assert not chunkref.verify(str(path))["sound"]
        held = pickle.loads(pickle.dumps(ChunkrefStore(str(path))))
        with pytest.raises(chunkref.PermissionDeniedError):
            xarray.open_zarr(held, consolidated=False, zarr_format=2)["t"].load()
        with pytest.raises((chunkref.PermissionDeniedError, chunkref.CombineError), match="allow="):
            chunkref.combine([str(path), references(url)], merge=True)
    path.write_text(json.dumps(references(str(secret))))
    for allow in (secret, str(secret), [tmp_path], f"file://{secret}"):
        assert bytes(chunkref.open_dataset(str(path), allow=allow)["t"].values) == SECRET
    assert chunkref.verify(str(path), allow=secret)["sound"]
    dataset = xarray.open_dataset(str(path), engine="chunkref", chunks={}, backend_kwargs={"allow": [str(secret)]})
    assert bytes(pickle.loads(pickle.dumps(dataset))["t"].compute(scheduler="synchronous").values) == SECRET
    with pytest.raises(chunkref.PermissionDeniedError):
        chunkref.open_dataset(str(path), allow=str(secret)[:-1])["t"].load()


def test_data_files_of_the_machine_are_read(tmp_path, example_file):
    path = tmp_path / "set.json"
    chunkref.scan(example_file, inline_threshold=0).to_json(path)
    for given in (str(path), json.loads(path.read_text()), chunkref.References.open(path), chunkref.scan(example_file)):
        assert float(chunkref.open_dataset(given)["temperature"].max()) == 23
    path.chmod(0o666)
    with pytest.raises(chunkref.PermissionDeniedError, match="written by others"):
        chunkref.open_dataset(str(path))["temperature"].load()
    moved = pickle.loads(pickle.dumps(chunkref.References.open(path)))
    with pytest.raises(chunkref.PermissionDeniedError, match="written by others"):
        chunkref.open_dataset(moved)["temperature"].load()
    folder = str(pathlib.Path(example_file).parent)
    assert float(chunkref.open_dataset(str(path), allow=folder)["temperature"].max()) == 23


def test_credentials_go_to_their_store_alone(server, tmp_path, example_file):
    url, folder, seen = server
    (folder / "raw").write_bytes(SECRET)
    shutil.copy(example_file, folder / "a.nc")
    path = tmp_path / "set.json"
    path.write_text(json.dumps(references(f"{url}/raw")))
    token = {"token": "VERYSECRET", "headers.X-Secret": "VERYSECRET"}
    with pytest.raises(chunkref.PermissionDeniedError, match="own network"):
        chunkref.open_dataset(str(path), storage_options=token)["t"].load()
    assert not seen
    assert bytes(chunkref.open_dataset(str(path), storage_options=token, allow=url)["t"].values) == SECRET
    assert seen and all(headers["authorization"] == "Bearer VERYSECRET" for headers in seen)
    seen.clear()
    # Two stores are allowed: the options have to say which they are for.
    allow = [url, "https://other.example/"]
    with pytest.raises(chunkref.InvalidOptionError, match="for one store"):
        chunkref.open_dataset(str(path), storage_options=token, allow=allow)
    scoped = {"https://other.example": {"token": "OTHER"}, url: {"token": "MINE"}}
    assert bytes(chunkref.open_dataset(str(path), storage_options=scoped, allow=allow)["t"].values) == SECRET
    assert seen and all(headers["authorization"] == "Bearer MINE" for headers in seen)
    seen.clear()
    # What the user names needs nothing, and what was scanned counts as that.
    scanned = chunkref.scan(f"{url}/a.nc", token)
    dataset = chunkref.open_dataset(pickle.loads(pickle.dumps(scanned)), storage_options=token)
    assert float(dataset["temperature"].max()) == 23
    assert seen and all(headers["authorization"] == "Bearer VERYSECRET" for headers in seen)
    seen.clear()
    with pytest.raises(chunkref.InvalidOptionError, match="for one store"):
        list(chunkref.scan_many([f"{url}/a.nc", "https://other.example/a.nc"], token))
    with pytest.raises(chunkref.InvalidOptionError, match="for one store"):
        chunkref.build([f"{url}/a.nc", "https://other.example/a.nc"], token, concat="time")
    assert not seen


def test_references_of_the_network_name_no_local_file(server, example_file):
    url, folder, _ = server
    (folder / "set.json").write_text(json.dumps(references(example_file)))
    with pytest.raises(chunkref.PermissionDeniedError, match="not a file of this machine"):
        chunkref.open_dataset(f"{url}/set.json")["t"].load()
    assert len(chunkref.open_dataset(f"{url}/set.json", allow=example_file)["t"].values) == 32


def test_what_is_allowed_is_checked():
    for wrong in (1, b"/", None, [1], [b"/"]):
        with pytest.raises(TypeError, match="allow"):
            chunkref.Stores(allow=wrong)
    with pytest.raises(chunkref.ScanError):
        chunkref.Stores(allow="s3://")
    with pytest.raises(chunkref.InvalidOptionError, match="whole store"):
        chunkref.Stores({"s3://bucket/path": {"key": "x"}})
    stores = chunkref.Stores({"s3://bucket": {"key": "VERYSECRET"}}, allow=["/data", "s3://bucket"])
    assert "VERYSECRET" not in repr(stores) and "allow=['/data', 's3://bucket']" in repr(stores)
    assert repr(pickle.loads(pickle.dumps(stores))) == repr(stores)


def test_chained_urls_are_not_opened(tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_bytes(SECRET)
    from chunkref.kerchunk.combine import MultiZarrToZarr

    refs = references(f"simplecache::file://{secret}")
    with pytest.raises(Exception, match="protocol|may not"):
        MultiZarrToZarr([refs], concat_dims=["x"], remote_protocol="file", coo_map={"x": "data:t"}).translate()
