"""Checks the answers of the service against the model of its index."""

import math

# Two computations of one score may add in another order, because other requests share the batch. A
# search reads tokens in half precision from the index, and a score encodes the image anew: usually
# that moves a logit by 1e-4, and for one image in some hundreds by 3e-3.
SIMILARITY, LOGIT = 1e-4, 1e-2


def decreasing(values, tolerance=0.0):
    return all(b <= a + tolerance for a, b in zip(values, values[1:]))


def search_faults(model, request, answer, start, end):
    """Returns what is wrong with the answer to a search, as texts."""
    results, faults = answer["results"], []
    for result in results:
        if fault := model.fault(result, start, end):
            faults.append(fault)
    if len({result["id"] for result in results}) < len(results):
        faults.append("an entry is there twice")
    faults += order_faults(request, answer)

    def admits(size, metadata):
        return all(satisfies(size, metadata, each) for each in request.get("filters", []))

    must, most = model.bounds(
        start, end, lambda facts: admits(len(facts.data), facts.metadata))
    if not len(must) <= answer["total"] <= most:
        faults.append(f"total is {answer['total']}, not {len(must)} to {most}")
    offset = request.get("offset", 0)
    expected = max(0, min(request["count"], answer["total"] - offset))
    if len(results) != expected:
        faults.append(f"there are {len(results)} results, not {expected} of {answer['total']}")
    following = offset + len(results)
    if answer["next_offset"] != (following if following < answer["total"] else None):
        faults.append(f"next_offset is {answer['next_offset']} after {following} results")
    if not all(admits(result["size"], result["metadata"]) for result in results):
        faults.append("a result does not fulfil the conditions")
    return faults


def order_faults(request, answer):
    """Returns what is wrong with the order of results."""
    results, faults = answer["results"], []
    offset = request.get("offset", 0)
    if [result["rank"] for result in results] != list(range(offset + 1, offset + 1 + len(results))):
        faults.append("the ranks are not consecutive")
    recalled = sorted(results, key=lambda result: result["recall_rank"])
    if not decreasing([result["similarity"] for result in recalled], SIMILARITY):
        faults.append("recall is not in the order of similarity")
    read = [result for result in results if result["match_logit"] is not None]
    if read != results[:len(read)]:
        faults.append("a result that was not re-ranked comes before one that was")
    rest = results[len(read):]
    if not decreasing([-result["recall_rank"] for result in rest]):
        faults.append("results beyond the candidates are not in the order of recall")
    keys = {"itm": lambda result: result["match_logit"],
            "itm+itc": lambda result: result["match_logit"] + result["similarity"],
            "probability": lambda result: result["match_probability"]}
    if key := keys.get(request.get("ranking")):
        if not decreasing([key(result) for result in read], 1e-5):
            faults.append(f"re-ranked results are not in the order of {request['ranking']}")
    numbers = [result[name] for result in read
               for name in ("similarity", "match_logit", "match_probability")]
    if not all(map(math.isfinite, numbers)):
        faults.append("a score is not finite")
    return faults


def satisfies(size, metadata, condition):
    """Whether an image fulfils one of the conditions with which clients search."""
    name, value = condition.split("=")
    return size >= int(value) if name == "size>" else metadata.get(name) == value


def same_scores(a, b):
    return abs(a[0] - b[0]) <= SIMILARITY and abs(a[1] - b[1]) <= LOGIT
