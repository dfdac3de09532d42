"""Continues a prompt greedily with ONNX Runtime and NumPy: the stock file, or with the library of native operators.

usage: generate.py PACKAGE (--prompt TEXT | --ids ID ...) [--tokens 64] [--ignore-eos] [--library liblatentmoe_ops.so] [--session KEY=VALUE]
A text prompt takes the package `tokenizers`; ids take nothing more.
"""
import argparse
import json
import pathlib
import sys
import time

import numpy
import onnxruntime

FLOATS = {"tensor(float)": numpy.float32, "tensor(float16)": numpy.float16}


def parse():
    parser = argparse.ArgumentParser(description="Continues a prompt greedily.")
    parser.add_argument("package", type=pathlib.Path)
    prompt = parser.add_mutually_exclusive_group(required=True)
    prompt.add_argument("--prompt")
    prompt.add_argument("--ids", type=int, nargs="+", metavar="ID")
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--ignore-eos", action="store_true")
    parser.add_argument("--library")
    parser.add_argument("--session", action="append", default=[], metavar="KEY=VALUE")
    arguments = parser.parse_args()
    if arguments.tokens < 1:
        parser.error(f"--tokens is {arguments.tokens}; expected at least 1")
    if any("=" not in entry for entry in arguments.session):
        parser.error(f"--session is {' '.join(arguments.session)}; expected KEY=VALUE")
    return arguments


def create_session(model, library, entries):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    for entry in entries:
        options.add_session_config_entry(*entry.split("=", 1))
    # The library reads the entries when it is registered.
    if library:
        options.register_custom_ops_library(library)
    return onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])


def zeros(tensor, shape):
    if tensor.type not in FLOATS:
        sys.exit(f"generate.py: {tensor.name} is a {tensor.type}; expected {' or '.join(FLOATS)}, the floats that NumPy has")
    return onnxruntime.OrtValue.ortvalue_from_numpy(numpy.zeros(shape, FLOATS[tensor.type]))


class Decoder:
    """A session and its cache: a zeroed buffer for each layer's keys and values, bound as past and as present, written where it lies."""

    def __init__(self, session, capacity):
        self.session, self.binding, self.length = session, session.io_binding(), 0
        self.cache = []  # values hold their arrays; a binding holds neither
        for past in session.get_inputs():
            if past.name.startswith("past_key_values."):
                _, heads, _, size = past.shape
                half = zeros(past, (1, heads, capacity, size))
                self.binding.bind_ortvalue_input(past.name, half)
                self.binding.bind_ortvalue_output(past.name.replace("past_key_values", "present"), half)
                self.cache.append(half)
        logits = next(output for output in session.get_outputs() if output.name == "logits")
        self.logits = zeros(logits, (1, 1, logits.shape[2]))
        self.binding.bind_ortvalue_output("logits", self.logits)

    def next(self, ids):
        """The most likely token after these ids, which follow those of earlier calls."""
        start, self.length = self.length, self.length + len(ids)
        feeds = {  # named, so that the arrays are there until the run is over
            "input_ids": numpy.array([ids], numpy.int64),
            "position_ids": numpy.arange(start, self.length, dtype=numpy.int64)[None],
            "attention_mask": numpy.ones((1, self.length), numpy.int64),
            "num_logits_to_keep": numpy.array(1, numpy.int64),  # of a prompt too, only the last token's
        }
        for name, values in feeds.items():
            self.binding.bind_cpu_input(name, values)
        self.session.run_with_iobinding(self.binding)
        return int(self.logits.numpy().argmax())


def main():
    arguments = parse()

    def read(name):
        return json.loads((arguments.package / name).read_text(encoding="utf-8"))

    model = read("genai_config.json")["model"]
    tokenizer = None
    ids = arguments.ids
    if ids is None:
        import tokenizers

        tokenizer = tokenizers.Tokenizer.from_file(str(arguments.package / "tokenizer.json"))
        config = read("tokenizer_config.json")
        ids = [tokenizer.token_to_id(config["bos_token"])] if config["add_bos_token"] else []
        ids += tokenizer.encode(arguments.prompt, add_special_tokens=False).ids
    ends = numpy.atleast_1d(model["eos_token_id"])
    session = create_session(arguments.package / model["decoder"]["filename"], arguments.library, arguments.session)
    decoder = Decoder(session, len(ids) + arguments.tokens)
    start = time.perf_counter()
    generated = [decoder.next(ids)]
    while len(generated) < arguments.tokens and (arguments.ignore_eos or generated[-1] not in ends):
        generated.append(decoder.next(generated[-1:]))
    seconds = time.perf_counter() - start
    answer = {"runtime": onnxruntime.__version__, "tokens": generated, "tokens_per_second": round(len(generated) / seconds)}
    if tokenizer is not None:
        answer["text"] = arguments.prompt + tokenizer.decode(generated)
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
