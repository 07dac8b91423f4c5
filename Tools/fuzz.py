"""Feeds damaged files of every format to the readers, and counts what becomes of them.

    python3 Tools/fuzz.py [--inputs 1000000] [--formats gguf,config] [--jobs 2] [--seconds 0]
        [--tests .build/release/rsdPackageTests.xctest] [--record FILE] [--keep DIR]

The inputs are made and read by Tests/FuzzTests, in release as `make test` builds it. Each format has
a process of its own; input n of a format is the same in every run. Faults are: an input that ends
the process by a signal, that is not read within 10 s, that takes more memory than 64 MiB and four
times its size, that is refused with anything but a `Failure`, or that is read but cannot be used as
promised (an export that cannot be read back, a record that comes back as another). After a death or
a hang the process is started again behind the input. Faults are printed with the command that
repeats them; --keep writes their inputs into a folder. --seconds ends each format after so long.
--record appends one line a format to a file of docs/reliability, see Tools/reliability.py. Exits 1 after
faults.
"""

import argparse
import concurrent.futures
import os
import pathlib
import re
import resource
import struct
import subprocess
import sys
import tempfile
import time

import reliability

MOST_SECONDS = 10
MOST_DEATHS = 200
ADDRESS_SPACE = 64 << 30


class Format:
    """One format, tried in one process after another until all inputs are done."""

    def __init__(self, name, options, folder):
        self.name, self.options = name, options
        self.state, self.faults = folder / f"{name}.state", folder / f"{name}.faults"
        self.state.write_bytes(bytes(64))
        self.faults.write_bytes(b"")
        self.deaths = []

    def numbers(self):
        return struct.unpack("<8Q", self.state.read_bytes())

    def start(self, first, inputs, extra=None):
        environment = dict(
            os.environ,
            RSD_FUZZ=str(inputs),
            RSD_FUZZ_FIRST=str(first),
            RSD_FUZZ_FORMAT=self.name,
            RSD_FUZZ_STATE=str(self.state),
            RSD_FUZZ_FAULTS=str(self.faults),
            RSD_THREADS="1",
            OPENBLAS_NUM_THREADS="1",
            SWIFT_BACKTRACE="enable=no",
            **(extra or {}),
        )

        def limit():
            resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

        return subprocess.Popen(
            [
                self.options.tests, "--testing-library", "swift-testing", "--filter",
                "MutatedFileTests/isReadOrRefused",
            ],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            preexec_fn=limit,
        )

    def wait(self, process, deadline):
        """Waits for the end, a hang, or the deadline; returns what the process died of."""
        last, since = None, time.monotonic()
        while process.poll() is None:
            time.sleep(0.05)
            now, index = time.monotonic(), self.numbers()[0]
            if index != last:
                last, since = index, now
            # Time in which the process does not run does not count.
            elif now - since > MOST_SECONDS and busy(process.pid) > MOST_SECONDS - 1:
                process.kill()
                process.wait()
                return f"still running after {MOST_SECONDS} s"
            if index == last and now == since:
                start_count(process.pid)
            if deadline and now > deadline:
                process.kill()
                process.wait()
                return "out of time"
        if process.returncode < 0:
            return f"signal {-process.returncode}"
        return None if process.returncode in (0, 1) else f"exit code {process.returncode}"

    def run(self):
        begun = time.monotonic()
        deadline = begun + self.options.seconds if self.options.seconds else None
        first, end, tail = 0, self.options.inputs, ""
        while first < end and len(self.deaths) < MOST_DEATHS:
            process = self.start(first, end - first)
            reader = concurrent.futures.ThreadPoolExecutor(1).submit(process.stdout.read)
            death = self.wait(process, deadline)
            tail = reader.result()
            index = self.numbers()[0]
            if death == "out of time":
                first = index
                break
            if death is None:
                if index < end:
                    self.deaths.append((index, "ended early: " + reason(tail)))
                first = index
                break
            self.deaths.append((index, f"{death}: {reason(tail)}"))
            if self.options.keep:
                self.save(index)
            first = index + 1
        return self.result(first, time.monotonic() - begun)

    def save(self, index):
        """Writes the input into the folder of kept ones, by reading it once more."""
        saved = self.state.read_bytes()
        path = pathlib.Path(self.options.keep).resolve() / f"{self.name}-{index}"
        path.parent.mkdir(parents=True, exist_ok=True)
        process = self.start(index, 1, {"RSD_FUZZ_KEEP": str(path)})
        try:
            process.communicate(timeout=MOST_SECONDS + 5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
        self.state.write_bytes(saved)

    def result(self, done, seconds):
        _, accepted, refused, faults, slowest, slowest_index, memory, memory_index = self.numbers()
        lines = [line.split("\t", 1) for line in self.faults.read_text().splitlines()]
        found = [(int(index), what) for index, what in lines] + self.deaths
        kinds = {}
        for index, what in found:
            kinds.setdefault(re.sub(r"[0-9]+", "N", what)[:60], []).append((index, what))
        return {
            "attack": f"damaged files: {self.name}",
            "tried": done,
            "unit": "inputs",
            "outcomes": {
                "read": accepted,
                "refused": refused,
                "killed by a signal": sum("signal" in what for _, what in self.deaths),
                "hung": sum("still running" in what for _, what in self.deaths),
                "broken promises": faults,
            },
            "faults": len(found),
            "fault_kinds": [
                {"count": len(cases), "first_input": cases[0][0], "what": cases[0][1][:240]}
                for cases in kinds.values()
            ],
            "slowest_ms": round(slowest / 1e6, 1),
            "slowest_input": slowest_index,
            "most_memory_mib": round(memory / 2**20, 1),
            "most_memory_input": memory_index,
            "seconds": round(seconds),
            "command": f"python3 Tools/fuzz.py --inputs {done} --formats {self.name}",
        }


# Processor seconds of each process when its present input began.
COUNTS = {}


def processor_seconds(pid):
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return 0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def start_count(pid):
    COUNTS[pid] = processor_seconds(pid)


def busy(pid):
    return processor_seconds(pid) - COUNTS.get(pid, 0)


def reason(output):
    """The line of a process's output that says why it died."""
    lines = [line for line in output.splitlines() if re.search("Fatal error|rror:|Caught", line)]
    return lines[-1].strip()[-200:] if lines else ""


def formats():
    source = pathlib.Path(__file__).parent.parent / "Tests/FuzzTests/MutatedFileTests.swift"
    return re.findall(r'FuzzFormat\(name: "([a-z]+)"', source.read_text())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--inputs", type=int, default=1_000_000)
    parser.add_argument("--formats", default=",".join(formats()))
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--seconds", type=float, default=0)
    parser.add_argument("--tests", default=".build/release/rsdPackageTests.xctest")
    parser.add_argument("--record")
    parser.add_argument("--keep")
    options = parser.parse_args()
    options.tests = str(pathlib.Path(options.tests).resolve())
    faults = 0
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(
        options.jobs
    ) as pool:
        runs = [
            pool.submit(Format(name, options, pathlib.Path(folder)).run)
            for name in options.formats.split(",")
        ]
        for run in concurrent.futures.as_completed(runs):
            result = reliability.record(options.record, **run.result())
            faults += result["faults"]
            print(
                "{attack}: {tried} inputs, {faults} faults, {outcomes}; slowest {slowest_ms} ms, "
                "most memory {most_memory_mib} MiB; {seconds} s".format(**result),
                flush=True,
            )
            name = result["attack"].split()[-1]
            for kind in result["fault_kinds"]:
                print(f"    {kind['count']} x {kind['what']}")
                print(
                    f"        RSD_FUZZ_FORMAT={name} RSD_FUZZ_FIRST={kind['first_input']} RSD_FUZZ=1 "
                    f"{os.path.relpath(options.tests)} --testing-library swift-testing "
                    "--filter MutatedFileTests",
                    flush=True,
                )
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
