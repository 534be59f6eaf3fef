"""Prometheus's text format, version 0.0.4, read strictly: https://prometheus.io/docs/instrumenting/exposition_formats/

What a scraper forgives is an error here: blanks at another place than after a token, a sample whose metric has no HELP
and TYPE before it, the samples of one metric in two places, a series twice, buckets that are not cumulative.
"""

import math
import re

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
SAMPLE = re.compile(rf"({NAME})(?:\{{(.*)\}})? (\S+)")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\\\|\\"|\\n)*)"(,(?=.)|$)', re.DOTALL)
TYPES = ("counter", "gauge", "histogram")
SUFFIXES = ("_bucket", "_sum", "_count")


class ExpositionError(AssertionError):
    pass


class Metric:
    """One metric: .name, .type, .help, .samples as {(suffix, ((label, value), ...)): number}, labels in their order."""

    def __init__(self, name, text):
        self.name, self.help, self.type, self.samples = name, text, None, {}


class Exposition:
    """All metrics of a text, by name. Raises ExpositionError, which names the line."""

    def __init__(self, content):
        self.metrics, self._current, self._number = {}, None, 0
        try:
            text = content.decode("utf-8")
        except UnicodeDecodeError as error:
            raise ExpositionError(f"not UTF-8: {error}") from error
        if not text.endswith("\n"):
            raise ExpositionError("the last line has no end")
        for line in text[:-1].split("\n"):
            self._number += 1
            self._line(line)
        for metric in self.metrics.values():
            self._must(metric.type is not None, f"{metric.name} has no TYPE")
            if metric.type == "histogram":
                self._check_histogram(metric)

    def value(self, metric, suffix="", **labels):
        """The one sample with exactly these labels."""
        found = [number for (end, names), number in self.metrics[metric].samples.items()
                 if end == suffix and dict(names) == labels]
        if len(found) != 1:
            raise AssertionError(f"{metric}{suffix} {labels}: {len(found)} samples among {self.metrics[metric].samples}")
        return found[0]

    def label_sets(self, metric):
        """The sets of label names that the samples of a metric have, "le" left out."""
        return {frozenset(name for name, _ in names if name != "le") for _, names in self.metrics[metric].samples}

    def _must(self, holds, what):
        if not holds:
            raise ExpositionError(f"line {self._number}: {what}")

    def _line(self, line):
        if line.startswith("# HELP "):
            self._help(line)
        elif line.startswith("# TYPE "):
            self._type(line)
        else:
            self._sample(line)

    def _help(self, line):
        match = re.fullmatch(rf"# HELP ({NAME}) ((?:[^\\]|\\\\|\\n)+)", line)
        self._must(match, f"no HELP line: {line!r}")
        self._must(match[1] not in self.metrics, f"{match[1]} comes twice")
        self._current = self.metrics[match[1]] = Metric(match[1], match[2])

    def _type(self, line):
        match = re.fullmatch(rf"# TYPE ({NAME}) (\w+)", line)
        self._must(match and match[2] in TYPES, f"no TYPE line: {line!r}")
        self._must(self._current is not None and match[1] == self._current.name, f"TYPE of {match[1]} without its HELP")
        self._must(self._current.type is None, f"TYPE of {match[1]} twice")
        self._current.type = match[2]

    def _sample(self, line):
        match = SAMPLE.fullmatch(line)
        self._must(match, f"no sample: {line!r}")
        name, current = match[1], self._current
        self._must(current is not None and current.type is not None, f"a sample of {name} before its TYPE")
        suffix = name[len(current.name):] if name.startswith(current.name) else None
        allowed = SUFFIXES if current.type == "histogram" else ("",)
        self._must(suffix in allowed, f"a sample of {name} among those of {current.name}, a {current.type}")
        key = (suffix, self._labels(match[2]))
        self._must(key not in current.samples, f"the series {key} twice")
        self._must(("le" in dict(key[1])) == (suffix == "_bucket"), "le belongs to the buckets of histograms")
        number = self._number_of(match[3])
        self._must(current.type == "gauge" or number >= 0, f"{name} is negative: {number}")
        current.samples[key] = number

    def _labels(self, text):
        if text is None:
            return ()
        labels, at = [], 0
        while at < len(text) or not labels:
            match = LABEL.match(text, at)
            self._must(match, f"no labels: {text!r}")
            value = re.sub(r"\\(.)", lambda one: {"n": "\n"}.get(one[1], one[1]), match[2])
            labels.append((match[1], value))
            at = match.end()
        names = [name for name, _ in labels]
        self._must(len(names) == len(set(names)), f"a label twice: {names}")
        return tuple(sorted(labels))

    def _number_of(self, text):
        if text in ("+Inf", "-Inf", "NaN"):
            return float(text)
        self._must(re.fullmatch(r"-?(\d+(\.\d+)?|\.\d+)([eE][+-]?\d+)?", text), f"no number: {text!r}")
        return float(text)

    def _check_histogram(self, metric):
        series = {}
        for (suffix, labels), number in metric.samples.items():
            rest = tuple(one for one in labels if one[0] != "le")
            one = series.setdefault(rest, {"buckets": []})
            if suffix == "_bucket":
                one["buckets"].append((self._number_of(dict(labels)["le"]), number))
            else:
                one[suffix] = number
        for labels, one in series.items():
            where = f"{metric.name} {labels}"
            bounds, counts = [bound for bound, _ in one["buckets"]], [count for _, count in one["buckets"]]
            self._must(bounds == sorted(set(bounds)) and bounds and bounds[-1] == math.inf, f"{where}: bounds {bounds}")
            self._must(counts == sorted(counts), f"{where}: the buckets are not cumulative")
            self._must("_sum" in one and "_count" in one, f"{where}: no sum or no count")
            self._must(counts[-1] == one["_count"], f"{where}: the count is not that of the last bucket")
            self._must(one["_count"] > 0 or one["_sum"] == 0, f"{where}: a sum of nothing")
