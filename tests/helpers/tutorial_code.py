"""The tutorial's own code, as PyTorch published it, that wlm must agree with.

Source: "Dynamic Quantization on an LSTM Word Language Model", sections 2 to 4 (BSD 3-Clause).
Only what was a global there (`bptt`, `ntokens`, `eval_batch_size`) is an argument here, and the
generated words are returned rather than written to a file.
"""

from pathlib import Path

import torch
from torch import nn


class Dictionary:
    def __init__(self):
        self.word2idx = {}
        self.idx2word = []

    def add_word(self, word):
        if word not in self.word2idx:
            self.idx2word.append(word)
            self.word2idx[word] = len(self.idx2word) - 1
        return self.word2idx[word]


class Corpus:
    def __init__(self, path):
        self.dictionary = Dictionary()
        self.train = self.tokenize(Path(path) / "train.txt")
        self.valid = self.tokenize(Path(path) / "valid.txt")
        self.test = self.tokenize(Path(path) / "test.txt")

    def tokenize(self, path):
        with path.open(encoding="utf8") as f:
            for line in f:
                words = [*line.split(), "<eos>"]
                for word in words:
                    self.dictionary.add_word(word)

        with path.open(encoding="utf8") as f:
            idss = []
            for line in f:
                words = [*line.split(), "<eos>"]
                ids = []
                for word in words:
                    ids.append(self.dictionary.word2idx[word])
                idss.append(torch.tensor(ids).type(torch.int64))
            ids = torch.cat(idss)
        return ids


def generate(model, idx2word, num_words, temperature=1.0):
    input_ = torch.randint(len(idx2word), (1, 1), dtype=torch.long)
    hidden = model.init_hidden(1)
    words = []
    with torch.no_grad():
        for _ in range(num_words):
            output, hidden = model(input_, hidden)
            word_weights = output.squeeze().div(temperature).exp().cpu()
            word_idx = torch.multinomial(word_weights, 1)[0]
            input_.fill_(word_idx)
            words.append(idx2word[word_idx])
    return words


def batchify(data, bsz):
    nbatch = data.size(0) // bsz
    data = data.narrow(0, 0, nbatch * bsz)
    return data.view(bsz, -1).t().contiguous()


def get_batch(source, i, bptt):
    seq_len = min(bptt, len(source) - 1 - i)
    data = source[i : i + seq_len]
    target = source[i + 1 : i + 1 + seq_len].reshape(-1)
    return data, target


def repackage_hidden(h):
    if isinstance(h, torch.Tensor):
        return h.detach()
    return tuple(repackage_hidden(v) for v in h)


def evaluate(model_, data_source, ntokens, bptt, eval_batch_size):
    criterion = nn.CrossEntropyLoss()
    model_.eval()
    total_loss = 0.0
    hidden = model_.init_hidden(eval_batch_size)
    with torch.no_grad():
        for i in range(0, data_source.size(0) - 1, bptt):
            data, targets = get_batch(data_source, i, bptt)
            output, hidden = model_(data, hidden)
            hidden = repackage_hidden(hidden)
            output_flat = output.view(-1, ntokens)
            total_loss += len(data) * criterion(output_flat, targets).item()
    return total_loss / (len(data_source) - 1)
