"""Products of large matrices: what the processor reaches at best."""

from harness.alternation import Group, Side
from harness.ratios import Row
from harness.sections import row_names

NAME, TITLE, SECONDS, WHEN = "peak", "The processor's peak", 30, "always"
ABOUT = """\
Products of two matrices of 2,048 rows and columns, the yardstick of the other tables: the matrices
of an encoder have other shapes, so that its share can exceed 100 %. A type is measured where the
processor computes with it. Both sides are libtorch, called from Swift and from Python; products of
8-bit integers are called from Python alone."""

SIDE = 2048
OPERATIONS = 2 * SIDE**3
# Which flags of the processor a type needs.
TYPES = {"float32": (), "bfloat16": ("avx512_bf16", "amx_bf16", "bf16"),
         "int8": ("avx512_vnni", "avx_vnni", "amx_int8", "i8mm")}


def types(flags):
    return [name for name, needed in TYPES.items() if not needed or set(needed) & set(flags)]


def groups(options, kinds):
    made = []
    for kind in kinds:
        for threads in options.threads:
            request = {"do": "peak", "side": SIDE, "type": kind, "threads": threads, "calls": 5}
            sides = [Side("torch", "torch", request)]
            if kind != "int8":
                sides.insert(0, Side("ours", "measure", request))
            name = f"peak/{kind}/{threads}"
            made.append(Group(name, sides, [Row(
                name, kind, sides[0].name, [side.name for side in sides[1:]],
                threads=threads)]))
    return made


def names(options):
    return row_names(groups(options, TYPES))


def run(context):
    found = context.groups(groups(context.options, types(context.flags)))
    for row in found.rows:
        # The faster of the two, and the median, since a run cannot stay above it.
        seconds = min(row["ours"], row.get("theirs", row["ours"]))
        _, kind, threads = row["id"].split("/")
        context.peaks.setdefault(kind, {})[threads] = OPERATIONS / seconds
        row["operations_per_second"] = OPERATIONS / seconds
    return found
