"""Machines for tests: a few by name, and random ones."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

from snug.core.machine import Cpu, Disk, Gpu, Machine, Memory

GIB = 2**30


def machine(
    total_gb: float, *gpus: Gpu, free_gb: float | None = None, bandwidth: float | None = 50e9, cores: int = 8
) -> Machine:
    """A computer with so much memory (in GiB)."""
    available = int((0.8 * total_gb if free_gb is None else free_gb) * GIB)
    memory = Memory(total=int(total_gb * GIB), available=available, bandwidth=bandwidth)
    return Machine(os="linux", cpu=Cpu(cores=cores, threads=2 * cores, features=("avx2",)), memory=memory, gpus=gpus)


def card(
    name: str = "NVIDIA GeForce RTX 3060", gigabytes: float = 12, bandwidth: float | None = 360e9, free: float = 0.95
) -> Gpu:
    """A graphics card with memory of its own."""
    total = int(gigabytes * GIB)
    return Gpu(name, "discrete", memory_total=total, memory_free=int(free * total), bandwidth=bandwidth)


def apple(gigabytes: float, name: str = "Apple M4 Pro") -> Machine:
    """A Mac: one memory for processor and graphics."""
    unified = Gpu(name, "unified", memory_total=int(gigabytes * GIB))
    memory = Memory(total=int(gigabytes * GIB), available=int(0.8 * gigabytes * GIB))
    return Machine(os="darwin", cpu=Cpu(cores=12, features=("neon",)), memory=memory, gpus=(unified,))


_bytes = st.integers(min_value=0, max_value=2**44)
_bandwidth = st.one_of(st.none(), st.floats(min_value=1e6, max_value=1e13))
_names = st.sampled_from(("NVIDIA GeForce RTX 3060", "AMD Radeon RX 7900 XTX", "Apple M3", "", "graphics card"))


@st.composite
def gpus(draw: st.DrawFn) -> Gpu:
    """Any graphics device, also one that does not know itself."""
    total = draw(_bytes)
    return Gpu(
        name=draw(_names),
        kind=draw(st.sampled_from(("discrete", "integrated", "unified"))),
        memory_total=total,
        memory_free=draw(st.integers(min_value=0, max_value=total)),
        bandwidth=draw(_bandwidth),
    )


def disks() -> st.SearchStrategy[tuple[Disk, ...]]:
    """The disk for models with any room, or one that could not be read."""
    known = st.integers(0, 10**12).map(lambda free: (Disk("/models", free, 10**12),))
    return st.one_of(st.just(()), known)


@st.composite
def machines(draw: st.DrawFn, devices: st.SearchStrategy[Sequence[Gpu]] | None = None) -> Machine:
    """Any computer, from nothing at all to absurdly much."""
    total = draw(_bytes)
    memory = Memory(total, draw(st.integers(min_value=0, max_value=total)), draw(_bandwidth))
    features = draw(st.sampled_from(((), ("avx2",), ("avx512f", "avx512_vnni"), ("neon",))))
    cpu = Cpu(cores=draw(st.integers(0, 512)), features=features)
    return Machine(
        cpu=cpu, memory=memory, gpus=tuple(draw(devices or st.lists(gpus(), max_size=3))), disks=draw(disks())
    )


@st.composite
def computers(draw: st.DrawFn) -> Machine:
    """A computer as people have them: up to 512 GB of memory, none to two cards, or one memory for all. Nobody may know
    how fast a card is, and two may be unlike."""
    total = draw(st.integers(2, 512)) * GIB
    available = int(total * draw(st.floats(0.2, 0.95)))
    memory = Memory(total, available, draw(st.one_of(st.none(), st.floats(5e9, 500e9))))
    cpu = Cpu(cores=draw(st.integers(1, 64)), features=draw(st.sampled_from((("avx2",), ("neon",), ()))))
    kind, disk = draw(st.sampled_from(("none", "card", "cards", "unified"))), draw(disks())
    if kind == "unified":
        return Machine(cpu=cpu, memory=memory, gpus=(Gpu("Apple M4 Pro", "unified"),), disks=disk)
    if kind == "none":
        return Machine(cpu=cpu, memory=memory, disks=disk)
    one = draw(own_cards())
    two = (one, draw(st.one_of(st.just(one), own_cards())))
    return Machine(cpu=cpu, memory=memory, gpus=two if kind == "cards" else (one,), disks=disk)


@st.composite
def own_cards(draw: st.DrawFn) -> Gpu:
    """A graphics card with 2 to 192 GB, of any speed or of none that anybody knows."""
    size = draw(st.integers(2, 192)) * GIB
    name = draw(st.sampled_from(("NVIDIA GeForce RTX 3060", "NVIDIA Foo 9999")))
    bandwidth = draw(st.one_of(st.none(), st.floats(100e9, 8e12)))
    return Gpu(name, "discrete", size, int(size * draw(st.floats(0.3, 1.0))), bandwidth)
