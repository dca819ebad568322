"""The LSTM language model in training: dropout between layers, and lower layers added on top."""

from itertools import pairwise

import torch
from torch import Tensor, nn

from wlm.model.lstm import Hidden, LSTMModel
from wlm.training.recipe import Recipe


def new_model(ntoken: int, recipe: Recipe) -> LSTMModel:
    """Return an untrained model: forget-gate biases 1, other LSTM and decoder biases 0, embedding
    and decoder uniform in ±0.1."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        model = LSTMModel(ntoken, recipe.ninp, recipe.nhid, recipe.nlayers)
        for name, parameter in model.named_parameters():
            if name.startswith("rnn.bias") or name == "decoder.bias":
                nn.init.zeros_(parameter)
            elif not name.startswith("rnn"):
                nn.init.uniform_(parameter, -0.1, 0.1)
            if name.startswith("rnn.bias_ih"):
                nn.init.ones_(parameter[recipe.nhid : 2 * recipe.nhid])  # gates: i, f, g, o
    # Training draws its own dropout, see StackedLSTM; evaluated as it is, the model has none.
    return model.eval()


class StackedLSTM:
    """The layers of a model one by one, sharing its parameters, so that training can reach between
    them; with no dropout and no additions it computes what the model does."""

    def __init__(self, model: LSTMModel):
        self.encoder, self.layers = model.encoder, []
        sizes = [model.config.ninp] + [model.config.nhid] * model.config.nlayers
        for i, (inputs, outputs) in enumerate(pairwise(sizes)):
            with torch.random.fork_rng(devices=[]):  # its own weights are replaced at once
                layer = nn.LSTM(inputs, outputs)
            for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
                setattr(layer, f"{name}_l0", getattr(model.rnn, f"{name}_l{i}"))
            self.layers.append(layer)

    def __call__(
        self,
        input: Tensor,
        hidden: Hidden,
        *,
        dropout: float = 0.0,
        layer_dropout: float = 0.0,
        addition: float = 0.0,
        generator: torch.Generator | None = None,
    ) -> tuple[Tensor, Hidden]:
        """Map ids (T, B) and a hidden state to the top layer's output (T, B, H) and the next state.

        `addition` is the weight with which the lower layers' outputs are added to the top one's.
        """
        output = drop(self.encoder(input), dropout, generator)
        states, lower = [], 0.0
        for i, layer in enumerate(self.layers):
            if i > 0:
                lower = lower + output
                output = drop(output, layer_dropout, generator)
            output, state = layer(output, (hidden[0][i : i + 1], hidden[1][i : i + 1]))
            states.append(state)
        if addition:
            output = output + addition * lower
        h, c = (torch.cat(layers).detach() for layers in zip(*states, strict=True))
        return drop(output, dropout, generator), (h, c)


def drop(values: Tensor, probability: float, generator: torch.Generator | None) -> Tensor:
    """Return values with some set to 0 and the others scaled to the same mean: dropout that draws
    from a generator."""
    if not probability:
        return values
    kept = torch.empty_like(values).bernoulli_(1 - probability, generator=generator)
    return values * kept.div_(1 - probability)
