"""Measures the mount beside sshfs, rclone and the bare disk. Started by `run`."""
import argparse
import functools
import json
import mmap
import multiprocessing
import os
import random
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

import delay_proxy

MIB = 1 << 20
HERE = os.path.dirname(os.path.abspath(__file__))
SAMPLE_SEEDBOX = os.path.join(HERE, "../../mount/sample-seedbox")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Seedbox:
    """A real sshd, reached directly or through delay proxies."""

    def __init__(self, directory, size):
        self.directory = directory
        self.files = directory + "/downloads"
        os.makedirs(self.files)
        self.make_files(size)
        words = subprocess.check_output([SAMPLE_SEEDBOX, "start", directory], text=True)
        self.port = int(words.split("127.0.0.1:")[1].split("/")[0])
        self.user = words.split("sftp://")[1].split("@")[0]
        self.key = directory + "/key"
        self.host_key = open(directory + "/host_key.pub").read().split()[:2]
        self.known_hosts = directory + "/known_hosts"
        self.proxies = []
        self.ports = {0: self.port}

    def make_files(self, size):
        block = os.urandom(8 * MIB)
        with open(self.files + "/Big.Show.S01E01.1080p.WEB.mkv", "wb") as big:
            for index in range(size // (8 * MIB)):
                big.write(index.to_bytes(8, "little") + block[8:])
        for index in range(1, 41):
            with open(f"{self.files}/Heads.S01E{index:02}.1080p.WEB.mkv", "wb") as file:
                file.write(block[: 4 * MIB])
        many = self.directory + "/many"
        for show in range(200):
            os.makedirs(f"{many}/Show.{show:03}.S01.720p.WEB-X")
            for episode in range(1, 51):
                name = f"{many}/Show.{show:03}.S01.720p.WEB-X/Show.{show:03}.S01E{episode:02}.mkv"
                with open(name, "wb") as file:
                    file.write(block[:100])
        small = self.directory + "/small"
        os.makedirs(small)
        for index in range(10_000):
            with open(f"{small}/Small.{index // 100:03}.S01E{index % 100 + 1:02}.mkv", "wb") as file:
                file.write(block[:65_536])

    def port_at(self, round_trip):
        if round_trip not in self.ports:
            port = free_port()
            proxy = multiprocessing.Process(
                target=delay_proxy.main, args=(port, self.port, round_trip / 1000), daemon=True
            )
            proxy.start()
            self.proxies.append(proxy)
            self.ports[round_trip] = port
            with open(self.known_hosts, "a") as hosts:
                hosts.write(f"[127.0.0.1]:{port} {' '.join(self.host_key)}\n")
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port)).close()
                    break
                except OSError:
                    time.sleep(0.05)
        return self.ports[round_trip]

    def stop(self):
        for proxy in self.proxies:
            proxy.terminate()
        subprocess.call([SAMPLE_SEEDBOX, "stop", self.directory])


def processes(pids):
    """The processes and all their descendants."""
    children = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                fields = open(f"/proc/{name}/stat").read().rsplit(")", 1)[1].split()
            except OSError:
                continue
            children.setdefault(int(fields[1]), []).append(int(name))
    found, todo = [], list(pids)
    while todo:
        pid = todo.pop()
        found.append(pid)
        todo += children.get(pid, [])
    return found


class Mount:
    """One way to the seedbox's files."""

    def __init__(self, name, seedbox, work, round_trip, path):
        self.name, self.seedbox, self.path = name, seedbox, path
        self.port = seedbox.port_at(round_trip)
        self.point = tempfile.mkdtemp(prefix="mount-", dir=work)
        self.state = tempfile.mkdtemp(prefix="state-", dir=work)
        self.process = None
        start = time.monotonic()
        self.start()
        while f" {self.point} " not in open("/proc/mounts").read():
            time.sleep(0.005)
        self.mounted_after = time.monotonic() - start

    def find(self, name):
        """The path of the file of this name on the seedbox."""
        return f"{self.point}/{name}"

    def roots(self):
        return [self.process.pid] if self.process else []

    def cpu_seconds(self):
        total = 0
        for pid in processes(self.roots()):
            try:
                fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
            except OSError:
                continue
            # Its own, and of children that have ended.
            total += sum(int(field) for field in fields[11:15])
        return total / os.sysconf("SC_CLK_TCK")

    def resident(self):
        total = 0
        for pid in processes(self.roots()):
            try:
                lines = open(f"/proc/{pid}/smaps_rollup").read().splitlines()
            except OSError:
                continue
            total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
        return total / 1024

    def stop(self):
        subprocess.call(["umount", "-l", self.point], stderr=subprocess.DEVNULL)
        if self.process:
            self.process.terminate()
            self.process.wait()
        shutil.rmtree(self.state, ignore_errors=True)


class Ours(Mount):
    environment = {}

    def start(self):
        subprocess.check_call(
            [
                os.environ["SYNC2NAS_PROGRAM"], "mount",
                f"sftp://{self.seedbox.user}@127.0.0.1:{self.port}{self.path}", self.point,
                "-i", self.seedbox.key, "--known-hosts", self.seedbox.known_hosts,
                "--data-dir", self.state + "/data", "--cache-dir", self.state + "/cache",
            ],
            env=os.environ | self.environment,
        )
        self.status = json.load(open(self.point + "/control/status.json"))

    @functools.cached_property
    def names(self):
        """The paths of all files by their names."""
        return {
            file: f"{directory}/{file}"
            for directory, _, files in os.walk(self.point + "/library")
            for file in files
        }

    def find(self, name):
        show, number = name.split(".S01E")
        return self.names[
            next(
                known for known in self.names
                if known.startswith(f"{show.replace('.', ' ')} - S01E{number[:2]}")
            )
        ]

    def roots(self):
        return [self.status["mount"]["supervisorID"]]

    def received(self):
        """Bytes that came from the seedbox."""
        return json.load(open(self.point + "/control/status.json"))["remote"]["bytesReceived"]

    def stop(self):
        subprocess.call([os.environ["SYNC2NAS_PROGRAM"], "unmount", self.point])
        shutil.rmtree(self.state, ignore_errors=True)


class OursLibSSH2(Ours):
    environment = {"SYNC2NAS_SFTP_TRANSPORT": "libssh2"}


class OursSmall(Ours):
    environment = {"SYNC2NAS_CACHE_MAX_SIZE": "300M"}


class OursServed(Ours):
    environment = {"SYNC2NAS_MOUNT_PASSTHROUGH": "no"}


class SSHFS(Mount):
    options = []

    def start(self):
        self.process = subprocess.Popen(
            [
                "sshfs", "-f", f"{self.seedbox.user}@127.0.0.1:{self.path}", self.point,
                "-p", str(self.port), "-o", f"IdentityFile={self.seedbox.key}",
                "-o", f"UserKnownHostsFile={self.seedbox.known_hosts}", *self.options,
            ],
            stderr=subprocess.DEVNULL,
        )


    def roots(self):
        # Its ssh processes are nobody's children; only one kind is mounted at a time.
        found = []
        for name in os.listdir("/proc"):
            if name.isdigit():
                try:
                    words = open(f"/proc/{name}/cmdline", "rb").read().split(b"\0")
                except OSError:
                    continue
                if words[0].endswith(b"ssh") and any(self.seedbox.key.encode() in w for w in words):
                    found.append(int(name))
        return super().roots() + found


class SSHFSBest(SSHFS):
    options = [
        "-o", "Ciphers=aes128-gcm@openssh.com", "-o", "kernel_cache,auto_cache,max_conns=4",
        "-o", "cache_timeout=3600,attr_timeout=3600,entry_timeout=3600",
    ]


class RClone(Mount):
    options = ["--vfs-cache-mode", "full"]

    def start(self):
        self.process = subprocess.Popen(
            [
                os.environ["RCLONE_PROGRAM"], "mount", f":sftp:{self.path}", self.point,
                "--config", "/dev/null", "--sftp-host", "127.0.0.1",
                "--sftp-port", str(self.port), "--sftp-user", self.seedbox.user,
                "--sftp-key-file", self.seedbox.key,
                "--sftp-known-hosts-file", self.seedbox.known_hosts,
                "--cache-dir", self.state, *self.options,
            ],
            stderr=subprocess.DEVNULL,
        )


class RCloneBest(RClone):
    options = [
        "--vfs-cache-mode", "full", "--sftp-chunk-size", "255Ki", "--sftp-concurrency", "128",
        "--buffer-size", "64Mi", "--vfs-read-ahead", "64Mi", "--vfs-read-chunk-size", "32Mi",
        "--dir-cache-time", "1h", "--sftp-disable-hashcheck",
    ]


class SFTPClient:
    """OpenSSH's own client throwing the bytes away: what ssh leaves anybody here."""

    @staticmethod
    def fetch(seedbox):
        """MB/s and client CPU seconds per GiB of fetching the big file."""
        before, start = os.times(), time.monotonic()
        subprocess.check_call(
            [
                "sftp", "-q", "-B", "261120", "-R", "64", "-P", str(seedbox.port),
                "-i", seedbox.key, "-o", f"UserKnownHostsFile={seedbox.known_hosts}",
                "-o", "Ciphers=aes128-gcm@openssh.com",
                f"{seedbox.user}@127.0.0.1:{seedbox.files}/{BIG}", "/dev/null",
            ],
            stdout=subprocess.DEVNULL,
        )
        seconds, after = time.monotonic() - start, os.times()
        used = after.children_user + after.children_system
        used -= before.children_user + before.children_system
        size = os.path.getsize(f"{seedbox.files}/{BIG}")
        return size / seconds / 1e6, used / (size / (1 << 30))


class Native(Mount):
    """The bare disk, for what is cached."""

    def start(self):
        subprocess.check_call(["mount", "--bind", self.path, self.point])


BIG = "Big.Show.S01E01.1080p.WEB.mkv"


def read_all(path, seconds=None):
    """MB/s of reading to the end, or for at most so many seconds."""
    buffer = bytearray(MIB)
    done = 0
    start = time.monotonic()
    with open(path, "rb", buffering=0) as file:
        while count := file.readinto(buffer):
            done += count
            if seconds and time.monotonic() - start > seconds:
                break
    return done / (time.monotonic() - start) / 1e6, done


def forget(path):
    with open(path, "rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def forget_everything():
    os.sync()
    with open("/proc/sys/vm/drop_caches", "w") as file:
        file.write("1")


def median(values):
    return statistics.median(values)


def cold_sequential(bench, round_trip):
    for kind in bench.chosen(Ours, OursLibSSH2, SSHFS, SSHFSBest, RClone, RCloneBest):
        with bench.mounted(kind, round_trip) as mount:
            path = mount.find(BIG)
            # Nobody reads in the moment of mounting: what that still does is not the read's.
            time.sleep(1)
            before = mount.cpu_seconds()
            rate, done = read_all(path, 12 if round_trip else 60)
            bench.note(f"cold sequential, {round_trip} ms, MB/s", kind, rate)
            if not round_trip:
                used = (mount.cpu_seconds() - before) / (done / (1 << 30))
                bench.note("client CPU, cold, s per GiB", kind, used)
                bench.note("memory after that, MiB", kind, mount.resident())


def client_limit(bench):
    for kind in bench.chosen(SFTPClient):
        rate, used = kind.fetch(bench.seedbox)
        bench.note("cold sequential, 0 ms, MB/s", kind, rate)
        bench.note("client CPU, cold, s per GiB", kind, used)


def first_bytes(bench, round_trip=50):
    for kind in bench.chosen(Ours, SSHFS, SSHFSBest, RClone, RCloneBest):
        with bench.mounted(kind, round_trip) as mount:
            names = [f"Heads.S01E{index:02}.1080p.WEB.mkv" for index in range(1, 41)]
            paths = [mount.find(name) for name in names]
            for path in paths[:4]:
                read_all(path)
            looked_up, plain = [], []
            for index, path in enumerate(paths[4:]):
                if index % 2:
                    os.stat(path)
                    # As long as a player needs to start, so that what is done ahead is done.
                    time.sleep(0.3)
                start = time.monotonic()
                with open(path, "rb", buffering=0) as file:
                    file.read(128 << 10)
                (looked_up if index % 2 else plain).append((time.monotonic() - start) * 1000)
            bench.note("first 128 KiB, 50 ms, looked up just before, ms", kind, median(looked_up))
            bench.note("first 128 KiB, 50 ms, ms", kind, median(plain))


def seeks(bench, round_trip=50):
    for kind in bench.chosen(Ours, SSHFS, SSHFSBest, RClone, RCloneBest):
        with bench.mounted(kind, round_trip) as mount:
            path = mount.find(BIG)
            size = os.path.getsize(path)
            offsets = list(range(64 * MIB, size - 4 * MIB, 20 * MIB))
            random.Random(1).shuffle(offsets)
            times = []
            with open(path, "rb", buffering=0) as file:
                file.read(128 << 10)
                for offset in offsets[:30]:
                    time.sleep(0.05)
                    start = time.monotonic()
                    got = 0
                    while got < 256 << 10:
                        got += len(os.pread(file.fileno(), (256 << 10) - got, offset + got))
                    times.append((time.monotonic() - start) * 1000)
            times.sort()
            bench.note("256 KiB at a new offset, 50 ms, median ms", kind, median(times))
            bench.note("256 KiB at a new offset, 50 ms, p90 ms", kind, times[len(times) * 9 // 10])


def listing(bench, round_trip=50):
    path = bench.seedbox.directory + "/many"
    for kind in bench.chosen(Ours, SSHFSBest, RCloneBest):
        start = time.monotonic()
        with bench.mounted(kind, round_trip, path) as mount:
            found = subprocess.run(
                ["timeout", "120", "find", mount.point, "-name", "*.mkv"],
                stdout=subprocess.PIPE,
                check=False,
            ).stdout.count(b"\n")
            seconds = time.monotonic() - start
            assert found == 10_000 or seconds > 100, (kind, found)
            bench.note("mount and list 10,000 files, 50 ms, s", kind, seconds)


def fio(path, jobs):
    output = subprocess.check_output(
        [
            "fio", "--name=r", "--filename=" + path, "--readonly", "--rw=randread", "--bs=4k",
            "--ioengine=psync", f"--numjobs={jobs}", "--thread", "--time_based", "--runtime=4",
            "--group_reporting", "--output-format=json", "--invalidate=0",
        ],
        stderr=subprocess.DEVNULL,
    )
    return json.loads(output)["jobs"][0]["read"]["iops"]


def walk_mapped(path):
    size = os.path.getsize(path)
    with open(path, "rb") as file, mmap.mmap(file.fileno(), size, prot=mmap.PROT_READ) as mapped:
        start = time.monotonic()
        total = 0
        for offset in range(0, size, 8 * MIB):
            total += len(mapped[offset : offset + 8 * MIB])
        return total / (time.monotonic() - start) / 1e6


def cached(bench):
    for kind in bench.chosen(Native, Ours, OursServed, SSHFSBest, RCloneBest):
        with bench.mounted(kind, 0) as mount:
            path = mount.find(BIG)
            read_all(path)
            # What is complete is read by the kernel from the next open on.
            time.sleep(1)
            # How fast memory is read depends on how it was filled; all fill it from the disk.
            forget_everything()
            read_all(path)
            if kind is OursServed or kind is RCloneBest:
                rates = []
                for _ in range(7):
                    forget(path)
                    rates.append(read_all(path)[0])
                bench.note("cached sequential, kernel's memory empty, MB/s", kind, median(rates))
            bench.note("cached sequential, MB/s", kind, max(read_all(path)[0] for _ in range(3)))
            bench.note("cached random 4 KiB, 1 thread, 1/s", kind, fio(path, 1))
            bench.note("cached random 4 KiB, 8 threads, 1/s", kind, fio(path, 8))
            bench.note("cached mmap, MB/s", kind, max(walk_mapped(path) for _ in range(3)))


def small_files(bench):
    path = bench.seedbox.directory + "/small"
    for kind in bench.chosen(Native, Ours, SSHFSBest, RCloneBest):
        with bench.mounted(kind, 0, path) as mount:
            paths = []
            for directory, _, files in os.walk(mount.point):
                if "/control" not in directory and "/views" not in directory:
                    paths += [f"{directory}/{file}" for file in files if file.endswith(".mkv")]
            assert len(paths) == 10_000, (kind, len(paths))
            times = []
            for _ in range(3):
                start = time.monotonic()
                for path_ in paths:
                    descriptor = os.open(path_, os.O_RDONLY)
                    os.read(descriptor, 65_536)
                    os.close(descriptor)
                times.append((time.monotonic() - start) / len(paths) * 1e6)
            bench.note("cached open, 64 KiB, close, 10,000 files, µs", kind, min(times[1:]))


def probes(bench, count=200):
    """A media server's scan of episodes of ordinary length."""
    for extension in ("mkv", "mp4"):
        directory = bench.seedbox.directory + "/episodes-" + extension
        if not os.path.exists(directory):
            os.makedirs(directory)
            first = f"{bench.work}/episode.{extension}"
            subprocess.check_call(
                [
                    "ffmpeg", "-nostdin", "-v", "error", "-f", "lavfi", "-i",
                    "testsrc2=size=640x360:rate=24:duration=240,noise=alls=12:allf=t",
                    "-f", "lavfi", "-i", "sine=duration=240", "-c:v", "mpeg4", "-q:v", "6",
                    "-c:a", "aac", first,
                ]
            )
            for number in range(count):
                name = f"Long.Show.S{number // 50 + 1:02}E{number % 50 + 1:02}.{extension}"
                os.link(first, f"{directory}/{name}")
        for kind in bench.chosen(Ours):
            with bench.mounted(kind, 0, directory) as mount:
                before = mount.received()
                for path in sorted(mount.names.values()):
                    subprocess.check_call(
                        ["ffprobe", "-v", "error", "-analyzeduration", "200M", "-probesize", "1G",
                         "-show_format", "-show_streams", path],
                        stdout=subprocess.DEVNULL,
                    )
                moved = (mount.received() - before) / count / MIB
                bench.note(f"ffprobe of {count} {extension} episodes, MiB moved for each", kind, moved)


def play(path, seconds, rate):
    """Reads at a player's pace, over and over."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with open(path, "rb", buffering=0) as file:
            start, done = time.monotonic(), 0
            while time.monotonic() < end and (data := file.read(128 << 10)):
                done += len(data)
                time.sleep(max(0, start + done / rate - time.monotonic()))


def players(bench, rate=2_000_000):
    """Eight players and a scan, with a cache that is too small for what they play."""
    seconds = bench.play_seconds
    directory = bench.seedbox.directory + "/played"
    if not os.path.exists(directory):
        os.makedirs(directory)
        for number in range(1, 9):
            with open(f"{directory}/Played.S01E{number:02}.mkv", "wb") as file:
                for _ in range(64):
                    file.write(os.urandom(MIB))
    for kind in bench.chosen(OursSmall):
        with bench.mounted(kind, 0, directory) as mount:
            paths = sorted(mount.names.values())
            readers = [
                multiprocessing.Process(target=play, args=(path, seconds, rate)) for path in paths
            ]
            for reader in readers:
                reader.start()
            samples, end = [], time.monotonic() + seconds
            while time.monotonic() < end:
                subprocess.call(["find", mount.point, "-size", "+1"], stdout=subprocess.DEVNULL)
                for path in paths:
                    with open(path, "rb") as file:
                        file.seek(random.randrange(60 * MIB))
                        file.read(4096)
                samples.append(mount.resident())
                time.sleep(1)
            for reader in readers:
                reader.join()
            third = max(1, len(samples) // 3)
            bench.note("8 players and a scan, MiB, most", kind, max(samples))
            bench.note("8 players and a scan, MiB, first third", kind, median(samples[:third]))
            bench.note("8 players and a scan, MiB, last third", kind, median(samples[-third:]))


class Bench:
    def __init__(self, work, seedbox, kinds, play_seconds):
        self.work, self.seedbox, self.kinds = work, seedbox, kinds
        self.play_seconds = play_seconds
        self.results = {}

    def chosen(self, *kinds):
        """Those of `kinds` that take part in this run."""
        return [kind for kind in kinds if not self.kinds or kind.__name__ in self.kinds]

    def mounted(self, kind, round_trip, path=None):
        bench = self

        class Context:
            def __enter__(self):
                place = path or bench.seedbox.files
                self.mount = kind(kind.__name__, bench.seedbox, bench.work, round_trip, place)
                return self.mount

            def __exit__(self, *_):
                self.mount.stop()
                # What one leaves for the disk to do, a cache deleted say, is not the next one's.
                os.sync()

        return Context()

    def note(self, row, kind, value):
        self.results.setdefault(row, {}).setdefault(kind.__name__, []).append(value)
        print(f"  {row:<52} {kind.__name__:<11} {value:,.1f}", file=sys.stderr, flush=True)

    def table(self):
        kinds = [k.__name__ for k in (Ours, OursLibSSH2, OursServed, OursSmall, SSHFS, SSHFSBest, RClone, RCloneBest, SFTPClient, Native)]
        lines = ["| medians | " + " | ".join(kinds) + " |", "|---" * (len(kinds) + 1) + "|"]
        for row, values in self.results.items():
            cells = [f"{median(values[k]):,.1f}" if k in values else "" for k in kinds]
            lines.append(f"| {row} | " + " | ".join(cells) + " |")
        return "\n".join(lines)


PARTS = {
    "limit": client_limit,
    "cold0": lambda bench: cold_sequential(bench, 0),
    "cold50": lambda bench: cold_sequential(bench, 50),
    "cold150": lambda bench: cold_sequential(bench, 150),
    "first": first_bytes,
    "seek": seeks,
    "list": listing,
    "cached": cached,
    "small": small_files,
    "probe": probes,
    "players": players,
}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default=",".join(PARTS), help=",".join(PARTS))
    parser.add_argument("--size", type=int, default=1024, help="of the big file, MiB")
    parser.add_argument("--kinds", default="", help="Ours,OursServed,SSHFS,… ; all without")
    parser.add_argument("--play", type=int, default=120, help="how long the players play, seconds")
    options = parser.parse_args()
    work = tempfile.mkdtemp(prefix="sync2nas-bench-")
    seedbox = Seedbox(work + "/seedbox", options.size * MIB)
    bench = Bench(work, seedbox, [k for k in options.kinds.split(",") if k], options.play)
    try:
        for number in range(options.rounds):
            print(f"round {number + 1} of {options.rounds}", file=sys.stderr)
            for part in options.only.split(","):
                PARTS[part](bench)
    finally:
        seedbox.stop()
        print(bench.table())
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
