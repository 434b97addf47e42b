"""LAVIS's pretraining step: losses, gradients, AdamW, momentum teacher, queues."""

import pathlib
import sys
import time

import protocol

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import lavis_albef  # noqa: E402
import torch  # noqa: E402

TINY = {
    "dialect": "lavis", "task": "pretraining", "embedding_width": 256,
    "vision": {"image_size": 64, "patch_size": 8, "width": 192, "depth": 6, "heads": 3,
               "mlp_width": 768, "layer_norm_epsilon": 1e-6},
    "text": {"vocabulary_size": 2000, "width": 192, "depth": 6, "fusion_layer": 3, "heads": 3,
             "mlp_width": 768, "positions": 64, "layer_norm_epsilon": 1e-12},
}
# Model, pairs of a step unless the request says otherwise, tokens of a text, queue.
SIZES = {"full": (lavis_albef.PAPER, 4, 30, 65536), "tiny": (TINY, 64, 16, 4096)}


class Training:
    """The state of a training run, which every request takes further."""

    def __init__(self, name, batch):
        configuration, standard, tokens, queue = SIZES[name]
        self.key, batch = (name, batch), batch or standard
        torch.manual_seed(0)
        self.model = lavis_albef.pretraining_model(configuration, queue, dropout=0.1).train()
        ids = torch.randint(5, configuration["text"]["vocabulary_size"], (batch, tokens))
        ids[:, 0], ids[:, -1] = 2, 3
        self.model.tokenizer = lavis_albef.GivenTokens(ids, torch.ones_like(ids))
        trained = [p for p in self.model.parameters() if p.requires_grad]
        self.optimizer = torch.optim.AdamW([
            {"params": [p for p in trained if p.ndim >= 2], "weight_decay": 0.02},
            {"params": [p for p in trained if p.ndim < 2], "weight_decay": 0.0}], lr=1e-4)
        side = configuration["vision"]["image_size"]
        self.pixels = torch.randn(batch, 3, side, side)
        self.steps = 0

    def step(self):
        self.optimizer.zero_grad()
        loss = self.model({"image": self.pixels, "text_input": None, "epoch": 0,
                           "iters": self.steps, "num_iters_per_epoch": 100}).loss
        loss.backward()
        self.optimizer.step()
        self.steps += 1
        return loss.item()


state = {}


def training(request):
    key = (request.get("model", "full"), request.get("batch"))
    if "run" not in state or state["run"].key != key:
        state.clear()  # before the next one takes memory
        state["run"] = Training(*key)
    losses = []
    answer = protocol.timed(
        request, lambda: losses.append(state["run"].step()), time.perf_counter)
    return answer | {"losses": losses}


if __name__ == "__main__":
    protocol.serve(
        {"training": training},
        lambda request: torch.set_num_threads(request.get("threads", torch.get_num_threads())))
