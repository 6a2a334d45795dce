"""How much a call allocates: torch's own account of the CPU's memory."""

from collections.abc import Callable

from torch.profiler import ProfilerActivity, profile


def peak_bytes(call: Callable[[], object]) -> int:
    """Return the most bytes of tensors that a call has at once, results included."""
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as record:
        result = call()
    events = record.profiler.kineto_results.events()
    changes = [event for event in events if event.name() == "[memory]"]
    held = most = 0
    for event in sorted(changes, key=lambda event: event.start_ns()):
        held += event.nbytes()
        most = max(most, held)
    del result
    return most
