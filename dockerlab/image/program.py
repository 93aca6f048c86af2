"""The program in the course's images: prints the file /greeting, as machine code in an ELF file.

Its exit status is 0, or the number of the error that kept it from reading the file.
"""

from __future__ import annotations

import struct

_PATH = b"/greeting\0"
_BASE = 0x400000  # where the file is mapped; a multiple of every page size that Linux has
_HEADERS = 64 + 56

_AMD64 = """
b8 02 00 00 00          # mov eax, 2          open(
48 8d 3d 3b 00 00 00    # lea rdi, [path]       "/greeting",
31 f6                   # xor esi, esi          O_RDONLY)
0f 05                   # syscall
85 c0                   # test eax, eax
78 28                   # js done             no such file: its error number is the status
89 c3                   # mov ebx, eax        ebx = the open file
48 81 ec 00 10 00 00    # sub rsp, 4096       room for 4096 bytes
31 c0                   # next: xor eax, eax  read(
89 df                   # mov edi, ebx          the file,
48 89 e6                # mov rsi, rsp          the room,
ba 00 10 00 00          # mov edx, 4096         4096)
0f 05                   # syscall
85 c0                   # test eax, eax
7e 0d                   # jle done            0: the end of the file; less: an error
89 c2                   # mov edx, eax        write(…, …, as many bytes as came)
b8 01 00 00 00          # mov eax, 1
89 c7                   # mov edi, eax          1: stdout
0f 05                   # syscall
eb e1                   # jmp next
89 c7                   # done: mov edi, eax  exit(
f7 df                   # neg edi               0, or the error number)
b8 3c 00 00 00          # mov eax, 60
0f 05                   # syscall
"""

_ARM64 = """
60 0c 80 92             # mov x0, #-100       openat(AT_FDCWD,
c1 02 00 10             # adr x1, path          "/greeting",
02 00 80 d2             # mov x2, #0            O_RDONLY)
08 07 80 d2             # mov x8, #56
01 00 00 d4             # svc #0
e0 01 f8 b7             # tbnz x0, #63, done  no such file: its error number is the status
f3 03 00 aa             # mov x19, x0         x19 = the open file
ff 07 40 d1             # sub sp, sp, #4096   room for 4096 bytes
e0 03 13 aa             # next: mov x0, x19   read(the file,
e1 03 00 91             # mov x1, sp            the room,
02 00 82 d2             # mov x2, #4096         4096)
e8 07 80 d2             # mov x8, #63
01 00 00 d4             # svc #0
1f 00 00 f1             # cmp x0, #0
cd 00 00 54             # b.le done           0: the end of the file; less: an error
e2 03 00 aa             # mov x2, x0          write(…, …, as many bytes as came)
20 00 80 d2             # mov x0, #1            1: stdout
08 08 80 d2             # mov x8, #64
01 00 00 d4             # svc #0
f5 ff ff 17             # b next
e0 03 00 cb             # done: neg x0, x0    exit(0, or the error number)
a8 0b 80 d2             # mov x8, #93
01 00 00 d4             # svc #0
"""

# ELF's number of the machine, and its code.
_MACHINES = {"amd64": (62, _AMD64), "arm64": (183, _ARM64)}


def program(architecture: str) -> bytes:
    """A static Linux executable for `amd64` or `arm64` that prints /greeting."""
    machine, listing = _MACHINES[architecture]
    code = _assemble(listing) + _PATH
    size = _HEADERS + len(code)
    identification = struct.pack("<4sBBB9x", b"\x7fELF", 2, 1, 1)  # 64 bits, little-endian
    # An executable of one segment that starts right behind the two headers.
    header = struct.pack(
        "<HHIQQQIHHHHHH", 2, machine, 1, _BASE + _HEADERS, 64, 0, 0, 64, 56, 1, 64, 0, 0
    )
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, _BASE, _BASE, size, size, 0x10000)
    return identification + header + segment + code


def _assemble(listing: str) -> bytes:
    return bytes.fromhex("".join(line.partition("#")[0] for line in listing.splitlines()))
