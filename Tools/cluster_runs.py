"""Runs a small experiment through Slurm and GNU parallel, and compares with a plain run.

    apt-get install slurm-wlm munge parallel
    python3 Tools/cluster_runs.py [--bin .build/release] [--folder .build/cluster-runs]
                                  [--shards 1,3,7] [--only slurm|parallel]

Run by hand, as root, on a machine that is in no cluster: it starts a munged, a slurmctld and two slurmd
of its own, which end with it. One experiment (two scratch models, tries, training, samples, report) is
run plainly; then for each number of shards by `rsd-generate submit`:

- GNU parallel, two processes at once;
- Slurm, while jobs are cancelled, requeued by the controller and killed with their node's daemon, and
  what is left is submitted again; at the last number of shards the samples are shared too.

In the end the SHA-256 of every trace, selection, model, sample file and table must be that of the plain
run, and no file of a shard may be left. Prints a line for each run; exits 1 where one differs.
"""

import argparse
import hashlib
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

from kill_runs import EXPERIMENT

SLURM = """\
ClusterName=rsd
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmctldPort=17000
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket,cred_expire=5
CredType=cred/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
MpiDefault=none
ReturnToService=2
SlurmdTimeout=10
SlurmdParameters=config_overrides
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
NodeName=n[1-2] NodeHostname={host} NodeAddr=127.0.0.1 Port=[17001-17002] CPUs=2 RealMemory=8000
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


class Cluster:
    """Slurm's daemons."""

    def __init__(self, folder):
        self.folder = folder
        self.processes = {}
        for name in ["state", "spool-n1", "spool-n2", "munge"]:
            (folder / name).mkdir(parents=True)
        (folder / "munge").chmod(0o711)
        key = folder / "munge/key"
        key.write_bytes(os.urandom(1024))
        key.chmod(0o400)
        host = os.uname().nodename
        (folder / "slurm.conf").write_text(SLURM.format(host=host, folder=folder))
        os.environ["SLURM_CONF"] = str(folder / "slurm.conf")
        self.start("munged", ["munged", "-F", "-f", f"--key-file={key}",
                              f"--socket={folder}/munge/socket", f"--log-file={folder}/munge/log",
                              f"--pid-file={folder}/munge/pid", f"--seed-file={folder}/munge/seed"])
        time.sleep(1)
        self.start("slurmctld", ["slurmctld", "-D"])
        for node in ["n1", "n2"]:
            self.node(node)
        end = time.time() + 60
        while time.time() < end:
            if self.ask("sinfo", "-h", "-t", "idle", "-o", "%D").strip() == "2":
                return
            time.sleep(1)
        sys.exit("the nodes of Slurm do not come up: see " + str(folder))

    def start(self, name, command):
        with open(self.folder / f"{name}.out", "ab") as out:
            self.processes[name] = subprocess.Popen(command, stdout=out, stderr=out)

    def node(self, name):
        self.start(name, ["slurmd", "-D", "-N", name])

    def ask(self, *command):
        return subprocess.run(command, capture_output=True, text=True).stdout

    def stop(self):
        self.ask("scancel", "--user=root")
        for name in ["n1", "n2", "slurmctld", "munged"]:
            if name in self.processes:
                self.processes[name].terminate()
                self.processes[name].wait(30)


def digests(folder):
    """The results, by path; logs, metrics and the memory of digests are none."""
    found = {}
    for path in sorted(folder.rglob("*")):
        wanted = path.suffix in [".jsonl", ".h5"] and not path.name.startswith("metrics")
        if path.is_file() and (wanted and "checkpoints" not in path.parts or path.name == "table.csv"):
            found[str(path.relative_to(folder))] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


class Run:
    """The experiment in a folder of its own."""

    def __init__(self, arguments, name):
        self.folder = arguments.folder / name
        self.bin = arguments.bin
        self.folder.mkdir()
        self.file = self.folder / "kill.yaml"
        self.file.write_text(EXPERIMENT)
        self.environment = dict(os.environ, RSD_RUNS=str(self.folder / "runs"),
                                RSD_RESULTS=str(self.folder / "results"), RSD_THREADS="1")

    def program(self, name, *more):
        done = subprocess.run([str(self.bin / name), *more], env=self.environment,
                              capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"{name} {' '.join(more)} ended with {done.returncode}:\n{done.stderr}")
        return done.stdout

    def check(self, expected, name):
        found = {path: digest for path, digest in digests(self.folder).items()}
        same = found == expected
        print(f"{name}: {len(found)} files {'equal' if same else 'DIFFER'}", flush=True)
        for path in sorted(set(found) | set(expected)):
            if found.get(path) != expected.get(path):
                print(f"  {path}: {found.get(path)} instead of {expected.get(path)}")
        return same


def plain(arguments):
    run = Run(arguments, "plain")
    for program, verb in [("rsd-generate", "run"), ("rsd-train", "run"), ("rsd-evaluate", "run"),
                          ("rsd-evaluate", "report")]:
        run.program(program, verb, str(run.file))
    return digests(run.folder)


def parallel(arguments, shards, expected):
    run = Run(arguments, f"parallel-{shards}")
    line = run.program("rsd-generate", "submit", str(run.file), "--scheduler", "parallel",
                       "--shards", str(shards), "--cores", "1")
    done = subprocess.run(["bash", "-c", line], env=dict(run.environment, JOBS="2"),
                          capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{line} ended with {done.returncode}:\n{done.stderr}")
    return run.check(expected, f"GNU parallel, {shards} shards")


def slurm(arguments, cluster, shards, expected, more, disturbances):
    """Submits until nothing is left, doing the disturbances on the way."""
    run = Run(arguments, f"slurm-{shards}")
    done = []
    for _ in range(12):
        run.program("rsd-generate", "submit", str(run.file), "--shards", str(shards), "--cores", "1",
                    *more)
        while queue := cluster.ask("squeue", "-h", "-o", "%A %t %j").split("\n")[:-1]:
            running = [line.split() for line in queue if line.split()[1] == "R"]
            busy = [line for line in running if line[2].endswith(("traces", "training", "samples"))]
            if disturbances and busy:
                what, job = disturbances[0], busy[0][0]
                if what == "cancel":
                    cluster.ask("scancel", job)
                elif what == "requeue":
                    cluster.ask("scontrol", "requeue", job)
                else:
                    node = cluster.ask("squeue", "-h", "-j", job, "-o", "%N").strip()
                    if node not in cluster.processes:
                        continue
                    cluster.processes[node].send_signal(signal.SIGKILL)
                    cluster.processes[node].wait()
                    cluster.ask("scontrol", "update", f"nodename={node}", "state=down", "reason=test")
                    time.sleep(2)
                    cluster.node(node)
                    cluster.ask("scontrol", "update", f"nodename={node}", "state=resume")
                done.append(f"{what} {busy[0][2]}")
                disturbances = disturbances[1:]
                time.sleep(1)
            time.sleep(0.2)
        rows = run.program("rsd-generate", "status", str(run.file)).split("\n")[2:]
        if all("finished" in row for row in rows if row.strip()) \
                and (run.folder / "results/kill/table.csv").exists():
            break
    name = f"Slurm, {shards} shards{' ' + ' '.join(more) if more else ''} ({', '.join(done)})"
    return run.check(expected, name)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--bin", type=pathlib.Path, default=pathlib.Path(".build/release"))
    parser.add_argument("--folder", type=pathlib.Path, default=pathlib.Path(".build/cluster-runs"))
    parser.add_argument("--shards", default="1,3,7")
    parser.add_argument("--only", choices=["slurm", "parallel"])
    arguments = parser.parse_args()
    arguments.bin = arguments.bin.resolve()
    arguments.folder = arguments.folder.resolve()
    shutil.rmtree(arguments.folder, ignore_errors=True)
    arguments.folder.mkdir(parents=True)
    counts = [int(text) for text in arguments.shards.split(",")]
    expected = plain(arguments)
    print(f"plain run: {len(expected)} files", flush=True)
    same = True
    if arguments.only != "slurm":
        for count in counts:
            same = parallel(arguments, count, expected) and same
    if arguments.only != "parallel":
        cluster = Cluster(arguments.folder / "cluster")
        try:
            for number, count in enumerate(counts):
                more = ["--sample-shards", "3"] if number == len(counts) - 1 else []
                what = [["requeue"], ["cancel", "requeue"], ["node", "cancel"]][number % 3]
                same = slurm(arguments, cluster, count, expected, more, what) and same
        finally:
            cluster.stop()
    sys.exit(0 if same else 1)


if __name__ == "__main__":
    main()
