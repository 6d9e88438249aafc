"""Operations without a server around them: build/.../tests/drive, which is built when first asked for."""
import functools
import json
import os
import subprocess

from .flowlet import ROOT

BUILD = os.environ.get("BUILD", "release")


@functools.cache
def _program():
    path = f"build/{BUILD}/tests/drive"
    subprocess.run(["make", "-s", "-j2", f"BUILD={BUILD}", path], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return ROOT / path


def drive(*jobs, options=(), timeout=60):
    """Carries out the jobs ({"op", "args", ...}) at once; a list of their results in the order of the jobs,
    each with its place in the order in which they ended ("order")."""
    lines = "".join(json.dumps(job) + "\n" for job in jobs)
    done = subprocess.run([_program(), *map(str, options)], input=lines, capture_output=True, text=True, timeout=timeout)
    assert done.returncode == 0, done.stderr
    results = [{**json.loads(line), "order": i} for i, line in enumerate(done.stdout.splitlines())]
    assert sorted(r["n"] for r in results) == list(range(len(jobs))), "one result each"
    return sorted(results, key=lambda r: r["n"])
