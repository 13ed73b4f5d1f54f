"""What the measurements were made on, in a few lines."""

import os
import platform
import subprocess


def first_line(*command):
    try:
        return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              encoding="utf-8", check=True).stdout.splitlines()[0].strip()
    except (OSError, subprocess.CalledProcessError, IndexError):
        return None


def processor():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return "unknown processor"


def describe(*commands):
    """Lines about the machine, its system, and the first line that each command prints."""
    with open("/etc/os-release", encoding="utf-8") as file:
        system = dict(line.rstrip().split("=", 1) for line in file if "=" in line)
    return [f"{os.cpu_count()} x {processor()}, {system['PRETTY_NAME'].strip(chr(34))}, "
            f"Linux {platform.release()}",
            "; ".join(filter(None, (first_line(*command) for command in commands)))]
