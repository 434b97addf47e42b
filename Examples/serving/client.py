#!/usr/bin/env python3
"""Calls `albef serve`; needs nothing but Python.

    client.py search WORDS [COUNT]       best matches: probability, id, name
    client.py list [PAGE]                all images, fetched PAGE (default: 100) at a time: id, name
    client.py add FILE [NAME=VALUE...]   adds an image with metadata, and prints its id
    client.py explain ID WORDS           each word's share of the heat, and the word
    client.py answer ID QUESTION         answers: natural logarithm of the probability, answer

ALBEF_URL is the service's address (default: http://127.0.0.1:8080), ALBEF_KEY the key, which `add` needs.
"""
import json
import os
import sys
import urllib.error
import urllib.request
import uuid


class Service:
    """The service at an address."""

    def __init__(self, address, key=None):
        self.address, self.key = address.rstrip("/"), key

    def request(self, path, body=None, content_type="application/json"):
        """Returns the document that the service answers: to GET without a body, to POST with one."""
        headers = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        if body is not None:
            headers["Content-Type"] = content_type
        request = urllib.request.Request(self.address + path, body, headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def post(self, path, **fields):
        return self.request(path, json.dumps(fields).encode())

    def search(self, text, count=10):
        return self.post("/api/search", text=text, count=count)["results"]

    def images(self, page=100):
        """Yields all images; what is added or deleted meanwhile may move others between pages."""
        offset = 0
        while found := self.request(f"/api/images?offset={offset}&limit={page}")["images"]:
            yield from found
            offset += len(found)

    def add(self, data, name, metadata):
        """Adds an image; it is on disk when the service answers."""
        edge = uuid.uuid4().hex
        parts = [("query", "application/json", json.dumps({"metadata": metadata}).encode()),
                 ("image", "application/octet-stream", data)]
        body = b""
        for part, kind, content in parts:
            file = '; filename="{}"'.format(name.replace('"', "%22")) if part == "image" else ""
            body += (f"--{edge}\r\nContent-Disposition: form-data; name=\"{part}\"{file}\r\n"
                     f"Content-Type: {kind}\r\n\r\n").encode() + content + b"\r\n"
        body += f"--{edge}--\r\n".encode()
        return self.request("/api/images", body, f"multipart/form-data; boundary={edge}")

    def explain(self, image, text):
        return self.post("/api/explain", image=image, text=text)

    def answer(self, image, question):
        return self.post("/api/answer", image=image, question=question)["answers"]


def main(command, *arguments):
    service = Service(os.environ.get("ALBEF_URL", "http://127.0.0.1:8080"), os.environ.get("ALBEF_KEY"))
    if command == "search":
        for result in service.search(arguments[0], *map(int, arguments[1:])):
            print(result["match_probability"], result["id"], result["name"])
    elif command == "list":
        for image in service.images(*map(int, arguments)):
            print(image["id"], image["name"])
    elif command == "add":
        with open(arguments[0], "rb") as file:
            metadata = dict(each.split("=", 1) for each in arguments[1:])
            print(service.add(file.read(), os.path.basename(file.name), metadata)["id"])
    elif command == "explain":
        for word in service.explain(*arguments)["words"]:
            print(word["share"], word["word"])
    elif command == "answer":
        for answer in service.answer(*arguments):
            print(answer["score"], answer["text"])
    else:
        raise TypeError(command)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except urllib.error.HTTPError as error:
        # A problem document (RFC 9457): its detail says what was wrong.
        sys.exit(f"{error.code}: {json.load(error).get('detail')}")
    except (OSError, ValueError) as error:
        sys.exit(f"client.py: {error}")
    except (IndexError, TypeError):
        sys.exit(__doc__)
