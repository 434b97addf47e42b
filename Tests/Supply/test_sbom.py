"""Tests the bill of materials, and that Documentation/dependencies.md agrees with it.

    python3 -m unittest discover Tests/Supply
"""

import importlib.machinery
import importlib.util
import json
import os
import re
import shutil
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

sys.dont_write_bytecode = True
ROOT = Path(__file__).resolve().parents[2]
loader = importlib.machinery.SourceFileLoader("sbom", str(ROOT / "Scripts/sbom"))
sbom = importlib.util.module_from_spec(importlib.util.spec_from_loader("sbom", loader))
loader.exec_module(sbom)

APACHE = "Apache License\n   Version 2.0, January 2004\n"
MIT = "Permission is hereby granted, free of\ncharge, to any person"
HAS_BUILD = (ROOT / "Package.resolved").is_file() and (ROOT / ".build/checkouts").is_dir()
HAS_PROGRAM = HAS_BUILD and (ROOT / ".build/release/albef").is_file()


def tree(folder: Path, licences: dict[str, str]) -> None:
    """Writes what a build leaves behind: packages of version 1.2.3 with these licences."""
    pins = []
    for name, text in licences.items():
        checkout = folder / ".build/checkouts" / name
        checkout.mkdir(parents=True)
        (checkout / "LICENSE.txt").write_text(text)
        pins.append({"identity": name.lower(), "location": f"https://example.org/them/{name}.git",
                     "state": {"revision": "0123abcd", "version": "1.2.3"}})
    (folder / "Package.resolved").write_text(json.dumps({"pins": pins}))


def page(rows: str) -> str:
    tables = [("packages", "| p | v | l | |\n|---|---|---|---|\n" + rows)]
    tables += [(name, "| p | l |\n|---|---|\n| none | MIT |\n")
               for name in ("parts of libtorch", "system")]
    return "\n".join(f"<!-- table: {name} -->\n{text}" for name, text in tables)


class Licences(unittest.TestCase):
    def test_texts_are_recognised(self):
        for text, licence in (
                (APACHE, "Apache-2.0"),
                (APACHE + "## Runtime Library\nException ##", "Apache-2.0 WITH Swift-exception"),
                (MIT, "MIT"),
                ("Redistribution and use in source and binary forms … Neither the name of",
                 "BSD-3-Clause"),
                ("Redistribution and use in source and binary forms, with", "BSD-2-Clause"),
                ("GNU GENERAL PUBLIC LICENSE", None)):
            self.assertEqual(sbom.licence_of(text), licence)

    def test_an_unknown_licence_and_a_missing_one_are_errors(self):
        for text in ("All rights reserved.", None):
            with tempfile.TemporaryDirectory() as name:
                folder = Path(name)
                tree(folder, {"thing": text or ""})
                if text is None:
                    (folder / ".build/checkouts/thing/LICENSE.txt").unlink()
                with self.assertRaisesRegex(sbom.Problem, "thing has no licence"):
                    sbom.packages(folder)


class Packages(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.folder = Path(place.name)
        tree(self.folder, {"Yams": MIT, "swift-log": APACHE})

    def test_every_resolved_package_is_there(self):
        yams, log = sbom.packages(self.folder)
        self.assertEqual((log["name"], log["version"]), ("swift-log", "1.2.3"))
        self.assertEqual(log["purl"], "pkg:swift/example.org/them/swift-log@1.2.3")
        self.assertEqual(log["licenses"], [{"license": {"id": "Apache-2.0"}}])
        self.assertIn({"name": "albef:revision", "value": "0123abcd"}, log["properties"])
        self.assertEqual([part["name"] for part in yams["components"]], ["libyaml"])

    def test_without_a_build_the_error_says_what_to_do(self):
        shutil.rmtree(self.folder / ".build")
        with self.assertRaisesRegex(sbom.Problem, "make build"):
            sbom.packages(self.folder)
        (self.folder / "Package.resolved").unlink()
        with self.assertRaisesRegex(sbom.Problem, "make build"):
            sbom.packages(self.folder)

    def test_packages_of_another_build_are_left_out(self):
        shutil.rmtree(self.folder / ".build/checkouts/Yams")
        self.assertEqual([package["name"] for package in sbom.packages(self.folder)], ["swift-log"])

    def said(self, rows: str) -> list[str]:
        return sbom.differences(sbom.packages(self.folder), page(rows))

    def test_a_page_that_agrees_has_no_differences(self):
        self.assertEqual(self.said(
            "| yams | 1.2.3 | MIT | direct |\n| swift-log | 1.0.0 | Apache-2.0 | direct |\n"
            "| grpc | 2.0.0 | Apache-2.0 | Milvus |\n"), [])

    def test_differences_are_found(self):
        log = "| swift-log | 1.2.3 | Apache-2.0 | direct |\n"
        for rows, part in (
                (log, "yams 1.2.3 is not on the page"),
                (log + "| yams | 1.2.3 | Apache-2.0 | direct |\n", "the licence is MIT"),
                (log + "| yams | 1.10.0 | MIT | direct |\n", "not 1.10.0 or newer"),
                (log + "| yams | 0.9.0 | MIT | direct |\n", "not 0.9.0 or newer"),
                (log + "| yams | 1.2.3 | MIT | direct |\n| old | 1.0.0 | MIT | direct |\n",
                 "old is on the page")):
            [said] = self.said(rows)
            self.assertIn(part, said)


class Texts(unittest.TestCase):
    def test_every_text_that_is_missing_is_named(self):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            self.assertEqual(len(sbom.missing_texts(folder)), 1)
            tree(folder, {"Yams": MIT})
            (folder / "sbom.json").write_text(json.dumps({"components": sbom.packages(folder)}))
            (folder / "licenses").mkdir()
            for file in ("LICENSE", "NOTICE", "licenses/Yams.txt"):
                (folder / file).write_text("text")
            [said] = sbom.missing_texts(folder)
            self.assertIn("libyaml", said)
            (folder / "licenses/libyaml.txt").write_text("text")
            self.assertEqual(sbom.missing_texts(folder), [])
            (folder / "licenses/Yams.txt").write_text("")
            (folder / "NOTICE").unlink()
            self.assertEqual(len(sbom.missing_texts(folder)), 2)


class Models(unittest.TestCase):
    def test_every_file_that_ships_has_its_hash(self):
        parts = {part["bom-ref"]: part for part in sbom.flat(sbom.models(ROOT))}
        shipped = [path for folder in ("Sources/Retrieval/Models", "Sources/Demo/Photos")
                   for path in (ROOT / folder).rglob("*") if path.is_file()]
        self.assertGreater(len(shipped), 45)
        for path in shipped:
            if path.name == "CREDITS.md":
                continue
            kind = f"model:{path.parent.name}/" if "Models" in path.parts else "demo:"
            self.assertEqual(parts[kind + path.name]["hashes"], sbom.digest(path), path)
        self.assertEqual(sbom.licence_name(parts["demo:swans.jpg"]), "CC-BY-SA-4.0")


class Bill(unittest.TestCase):
    @unittest.skipUnless(HAS_BUILD, "needs a build in .build")
    def test_the_page_agrees_with_the_packages(self):
        packages = sbom.packages(ROOT)
        pins = json.loads((ROOT / "Package.resolved").read_text())["pins"]
        folders = {path.name.lower() for path in (ROOT / ".build/checkouts").iterdir()}
        self.assertEqual(
            {package["name"] for package in packages},
            {pin["identity"] for pin in pins} & folders)
        for package in packages:
            self.assertTrue(package["version"] and sbom.licence_name(package))
        text = (ROOT / "Documentation/dependencies.md").read_text()
        self.assertEqual(sbom.differences(packages, text), [])

    @unittest.skipUnless(HAS_PROGRAM, "needs the program in .build/release")
    def test_the_same_build_has_the_same_bill(self):
        environment = {key: value for key, value in os.environ.items() if key != "SOURCE_DATE_EPOCH"}
        with mock.patch.dict(os.environ, environment, clear=True):
            first = sbom.bill(ROOT)
            self.assertEqual(first, sbom.bill(ROOT))
        self.assertNotIn("timestamp", first["metadata"])
        with mock.patch.dict(os.environ, {"SOURCE_DATE_EPOCH": "86400"}):
            self.assertEqual(sbom.bill(ROOT)["metadata"]["timestamp"], "1970-01-02T00:00:00Z")
        text = (ROOT / "Documentation/dependencies.md").read_text()
        self.assertEqual(sbom.differences(first["components"], text), [])
        names = [part["bom-ref"] for part in sbom.flat(first["components"])]
        self.assertEqual(len(names), len(set(names)))

    def test_package_swift_and_the_page_name_the_same_packages(self):
        named = {name.lower() for name in re.findall(
            r'url: "https://[^"]*/([^"/]+)"', (ROOT / "Package.swift").read_text())}
        rows = sbom.table((ROOT / "Documentation/dependencies.md").read_text(), "packages")
        direct = {name for name, row in rows.items() if row[2] == "direct"}
        milvus = {name for name, row in rows.items() if row[2] == "Milvus"}
        self.assertEqual(named - milvus, direct)
        self.assertGreaterEqual(named & milvus, {"swift-protobuf", "grpc-swift-2"})


class Requirements(unittest.TestCase):
    def test_every_package_of_the_tests_has_hashes(self):
        files = sorted((ROOT / "Tests").glob("*/*requirements.txt"))
        self.assertGreaterEqual(len(files), 5)
        for file in files:
            entries = [entry for entry in file.read_text().replace("\\\n", " ").splitlines()
                       if entry and not entry.startswith("#")]
            for entry in entries:
                self.assertRegex(entry, r"^[\w.-]+(\[[\w,-]+\])?==\S+ .*--hash=sha256:[0-9a-f]{64}", file)
            pinned = {re.match(r"[\w.-]+", entry)[0] for entry in entries}
            for line in file.with_suffix(".in").read_text().splitlines():
                if not line.startswith("#"):
                    name = re.match(r"[\w.-]+", line)[0].lower()
                    self.assertIn(name, pinned, f"{file}: run Scripts/pin-requirements")

    def test_libtorch_has_hashes_and_benchmarks_versions(self):
        for line in (ROOT / "Scripts/libtorch.txt").read_text().splitlines():
            if not line.startswith("#"):
                self.assertRegex(line, r"^\w+ torch==[\d.]+(\+cpu)? [0-9a-f]{64}$")
        for file in (ROOT / "Benchmarks").glob("requirements*.txt"):
            for line in file.read_text().splitlines():
                if not line.startswith("#"):
                    self.assertRegex(line, r"^[\w.-]+==\S+$")


if __name__ == "__main__":
    unittest.main()
