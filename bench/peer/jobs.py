"""Jobs → seconds. A job names its work; a work gives the variants in which a peer can do it."""

import importlib
import platform
import sys
import time
from dataclasses import dataclass
from statistics import median
from typing import Callable

# Where each work lives. A module is imported when a job needs it, so that trees can be timed without torch.
WORKS = {
    "raw_gradient": "peer.torch_gradients",
    "integrated_gradients": "peer.torch_gradients",
    "grad_cam": "peer.torch_gradients",
    "deep_lift": "peer.torch_gradients",
    "guided_backprop": "peer.torch_gradients",
    "score_cam": "peer.torch_gradients",
    "lrp": "peer.torch_relevance",
    "occlusion": "peer.torch_gradients",
    "tree_shap": "peer.trees",
    "tree_interactions": "peer.trees",
    "tree_interventional": "peer.woodelf_trees",
    "tree_interventional_interactions": "peer.woodelf_trees",
}


# A call longer than this needs no warm-up of its own.
LONG_SECS = 5.0


@dataclass(frozen=True)
class Variant:
    """One way to do a job: the peer, its parameters, what is timed. `default` is how its users write it."""

    peer: str
    parameters: dict
    call: Callable[[], object]
    default: bool = False


def seconds_of(call):
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def repeated(call, repeats, least_secs):
    """Seconds of each of `repeats` calls, and of more, up to 1,000, until `least_secs` have passed: for very short calls."""
    seconds = [seconds_of(call) for _ in range(repeats)]
    while sum(seconds) < least_secs and len(seconds) < 1000:
        seconds.append(seconds_of(call))
    return seconds


def timed(variant, repeats, tried):
    """A call that takes long has been timed once already, when it was tried."""
    seconds = [tried] if tried > LONG_SECS else []
    seconds += repeated(variant.call, repeats - len(seconds), least_secs=1.0)
    spread = {"min": min(seconds), "median": median(seconds), "max": max(seconds), "repeats": len(seconds)}
    return {"peer": variant.peer, "parameters": variant.parameters, "seconds": spread}


def tried_once(variant):
    """Seconds of a call after its warm-up; a call that takes long warms itself up in its first moments."""
    first = seconds_of(variant.call)
    return first if first > LONG_SECS else min(repeated(variant.call, 1, least_secs=0.2))


def run_job(job, repeats):
    """Tries each variant, then times the fastest one of each peer and the default."""
    variants = getattr(importlib.import_module(WORKS[job["work"]]), job["work"])(job)
    tried = []
    for variant in variants:
        tried.append(tried_once(variant))
        print(f"{job['id']}: {variant.peer} {variant.parameters} {tried[-1]:.4f} s", file=sys.stderr, flush=True)
    fastest = min(range(len(variants)), key=tried.__getitem__)
    default = next(i for i, variant in enumerate(variants) if variant.default)
    of_peer = {}
    for i, variant in enumerate(variants):
        of_peer[variant.peer] = min(i, of_peer.get(variant.peer, i), key=tried.__getitem__)
    timings = {i: timed(variants[i], repeats, tried[i]) for i in {fastest, default, *of_peer.values()}}
    return {
        "id": job["id"],
        "fastest": timings[fastest],
        "default": timings[default],
        "of_peers": [timings[i] for i in of_peer.values()],
        "tried": [{"parameters": v.parameters, "seconds": s} for v, s in zip(variants, tried)],
    }


def cpu_name():
    try:
        with open("/proc/cpuinfo") as lines:
            return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor()


def versions(jobs):
    modules = [importlib.import_module(name) for name in sorted({WORKS[job["work"]] for job in jobs})]
    return {name: version for module in modules for name, version in module.versions().items()}


def set_threads(jobs, threads):
    for name in sorted({WORKS[job["work"]] for job in jobs}):
        importlib.import_module(name).set_threads(threads)


def run_all(jobs, threads, repeats):
    set_threads(jobs, threads)
    return {
        "machine": {"cpu": cpu_name(), "system": platform.platform(), "python": platform.python_version()},
        "versions": versions(jobs),
        "threads": threads,
        "results": [run_job(job, repeats) for job in jobs],
    }
