"""A name server at 127.0.0.1:53 that knows no name: `python -m tests.nowhere`."""

import socket


def main() -> None:
    """Answer every question with "no such name", until killed."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 53))
        print("listening on 127.0.0.1:53", flush=True)
        while True:
            question, asker = server.recvfrom(512)
            flags = b"\x81\x83"  # an answer, recursion is available, NXDOMAIN (RFC 1035, 4.1.1)
            server.sendto(question[:2] + flags + question[4:6] + bytes(6) + question[12:], asker)


if __name__ == "__main__":
    main()
