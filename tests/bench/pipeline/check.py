"""Sums up recorded readings, the same way for all peers."""


def check(files):
    """`files` has the readings of each file in their order. Returns (items, checksum, ordered)."""
    items = checksum = 0
    ordered = True
    for readings in files:
        last = {}
        for reading in readings:
            producer, sequence = reading["producer"], reading["sequence"]
            items += 1
            checksum += producer * 1000003 ^ sequence
            ordered = ordered and sequence > last.get(producer, 0)
            last[producer] = sequence
    return items, checksum, int(ordered)
