"""The bounds of a piece of work, and a progress bar for long work, by tqdm where it is installed."""

import contextlib


class Bar:
    """Is called with what is done and what is to be done, while the work goes on."""

    __slots__ = ("_bar",)

    def __init__(self):
        self._bar = None

    def __call__(self, done: int, total: int) -> None:
        if self._bar is None:
            self._bar = _new(total)
        if self._bar.total != total:
            self._bar.total = total
        self._bar.update(done - self._bar.n)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()


def limits(batch_size=None, max_memory=None, threads=None, watcher=None) -> dict:
    """The bounds of one piece of work as the core takes them, and who is told of it."""
    return {"batch_size": batch_size, "max_memory": max_memory, "threads": threads, "watcher": watcher}


@contextlib.contextmanager
def limited(batch_size=None, max_memory=None, threads=None, progress: bool = True):
    """The bounds of the work, with a bar while it goes on."""
    bar = Bar() if progress else None
    try:
        yield limits(batch_size, max_memory, threads, bar)
    finally:
        if bar is not None:
            bar.close()


class _Silent:
    def __init__(self, total):
        self.total, self.n = total, 0

    def update(self, n):
        pass

    def close(self):
        pass


def _new(total):
    with contextlib.suppress(ImportError):
        from tqdm.auto import tqdm

        return tqdm(total=total, leave=False, unit="evaluation")
    return _Silent(total)
