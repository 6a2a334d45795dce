"""Speed beside torch and torchvision: `make bench`.

Each `bench_<module>.py` defines `cases() -> list[Case]`; the harness finds, times and
tabulates them, and writes the Performance page in both languages.
"""
