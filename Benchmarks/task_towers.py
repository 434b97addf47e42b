#!/usr/bin/env python3
"""Measures how far the two towers of a model alone solve sentences about images.

    Benchmarks/task_towers.py FOLDER --model wardrobe [--task entailment|nlvr] [--albef PATH]

FOLDER has TASK-train.json and TASK-test.json, as 'albef wardrobe tasks' or 'albef wardrobe boxes'
writes them. The program exports the features of all images and sentences. A linear classifier
learns the classes from them: the features of each image and of the sentence, their products, and
their cosines. Prints its accuracy in percent on both files, with the standard error of the test.
"""

import argparse
import json
import pathlib
import subprocess
import tempfile

import numpy


def records(folder, task, split):
    with open(folder / f"{task}-{split}.json", encoding="utf-8") as file:
        return json.load(file)


def images_of(record):
    return record["images"] if "images" in record else [record["image"]]


def features(folder, sentences, arguments):
    """The features of all images of a folder by name, and of the sentences."""
    with tempfile.TemporaryDirectory() as scratch:
        texts = pathlib.Path(scratch) / "sentences.txt"
        texts.write_text("\n".join(sentences) + "\n", encoding="utf-8")
        output = pathlib.Path(scratch) / "features.npz"
        subprocess.run(
            [arguments.albef, "features", folder / "images", "--texts", texts, "--model",
             arguments.model, "--output", output], check=True)
        with numpy.load(output) as file:
            names = ["images/" + pathlib.Path(str(path)).name for path in file["image_paths"]]
            images = dict(zip(names, file["image_features"]))
            return images, dict(zip(sentences, file["text_features"]))


def inputs(rows, images, texts):
    """One row of numbers per record: no tower has read image and sentence together."""
    found = []
    for row in rows:
        text = texts[row["sentence"]]
        vectors = [images[name] for name in images_of(row)]
        parts = [text]
        for vector in vectors:
            parts += [vector, vector * text, [vector @ text]]
        if len(vectors) == 2:
            parts += [vectors[0] * vectors[1], [(vectors[0] - vectors[1]) @ text]]
        found.append(numpy.concatenate(parts))
    return numpy.asarray(found, dtype=numpy.float64)


def fit(x, labels, classes, strength=1e-3, steps=400):
    """Logistic regression by Nesterov's accelerated gradient, with a step of 1 / L."""
    targets = numpy.eye(classes)[labels]
    weights = numpy.zeros((x.shape[1], classes))
    ahead = weights
    rate = 1 / (0.5 * numpy.linalg.norm(x, 2) ** 2 / len(x) + strength)
    for step in range(steps):
        scores = x @ ahead
        scores -= scores.max(1, keepdims=True)
        shares = numpy.exp(scores)
        shares /= shares.sum(1, keepdims=True)
        moved = ahead - rate * (x.T @ (shares - targets) / len(x) + strength * ahead)
        ahead = moved + step / (step + 3) * (moved - weights)
        weights = moved
    return weights


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--model", default="wardrobe")
    parser.add_argument("--task", choices=["entailment", "nlvr"], default="nlvr")
    parser.add_argument("--albef", default=".build/release/albef")
    arguments = parser.parse_args()
    train = records(arguments.folder, arguments.task, "train")
    test = records(arguments.folder, arguments.task, "test")
    sentences = sorted({row["sentence"] for row in train + test})
    images, texts = features(arguments.folder, sentences, arguments)
    names = sorted({row["label"] for row in train})
    labels = [numpy.array([names.index(row["label"]) for row in part]) for part in (train, test)]
    x = [inputs(part, images, texts) for part in (train, test)]
    mean, deviation = x[0].mean(0), x[0].std(0) + 1e-9
    x = [numpy.hstack([(part - mean) / deviation, numpy.ones((len(part), 1))]) for part in x]
    weights = fit(x[0], labels[0], len(names))
    right = [(part @ weights).argmax(1) == own for part, own in zip(x, labels)]
    error = 100 * right[1].std() / len(right[1]) ** 0.5
    print(
        f"{len(names)} classes: training {100 * right[0].mean():.1f} %,"
        f" test {100 * right[1].mean():.1f} ± {error:.1f} %")


if __name__ == "__main__":
    main()
