"""What is sent through each proxy: requests of clients, and answers of targets.

Most of it is what the wire tests send (tests/wire/test_lb_*.py); what only a comparison is interested in is added here.
Behind each request comes a plain one on the same connection, for /next; whether that is answered tells whether the
connection was kept.
"""

import dataclasses

import test_lb_desync
import test_lb_errors
import test_lb_safety
from test_lb_desync import get, post

ATTACK, LEGAL = "attack", "legal"


@dataclasses.dataclass
class Case:
    group: str
    name: str
    content: bytes          # the client's bytes, or the target's answer
    kind: str = ATTACK      # ATTACK: the stricter the better; LEGAL: it is to be served
    method: str = "GET"
    then: str = "stay"      # what the target does after its answer: "stay" or "close"
    later: bytes = b""      # what the client sends when something came, or nothing for a moment
    status: int = 0         # LEGAL: the answer that shows it was served; 0: that the target saw the whole request does


def request_line(line, *headers):
    return line + b"\r\nHost: a\r\n" + b"".join(one + b"\r\n" for one in headers) + b"\r\n"


def chunked(body):
    return post(b"Transfer-Encoding: chunked", body=body)


def desync_cases():
    for tier, reason, content, _, _ in test_lb_desync.CASES:
        if tier != "-":
            first = content.split(b"\r\n\r\n")[0].split(b"\r\n")
            shown = next((one for one in first[2:] if not one.lower().startswith(b"connection")), first[0])
            if reason in ("BothTeClPresent", "DuplicateContentLength", "MultipleContentLength", "SuspiciousHeader"):
                shown = b", ".join(first[2:])
            if reason in ("BadMethod", "BadVersion", "BadUri", "SpaceInUri", "NonCompliantVersion", "AmbiguousUri"):
                shown = first[0]
            if first[0].endswith(b"1.0"):
                shown = b"HTTP/1.0 with " + first[2]
            yield Case("Desync table", f"{reason}: {printable(shown)}", content)


def printable(content):
    return "".join(chr(one) if 0x20 <= one < 0x7f else f"\\x{one:02x}" for one in content)


def smuggling_cases():
    for what, content in {**test_lb_safety.AMBIGUOUS,
                          **{what: content for what, (content, _) in test_lb_safety.DOUBTFUL.items()}}.items():
        yield Case("Two readings", what, content)


LENGTHS = {
    "an empty length": post(b"Content-Length: ", body=b""),
    "two equal lengths in one line": post(b"Content-Length: 3, 3", body=b"abc"),
    "a length with a letter behind": post(b"Content-Length: 3a", body=b"abc"),
    "a length with a fraction": post(b"Content-Length: 3.0", body=b"abc"),
    "a negative length": post(b"Content-Length: -3", body=b"abc"),
    "TE: gzip, chunked": post(b"Transfer-Encoding: gzip, chunked", body=b"3\r\nabc\r\n0\r\n\r\n"),
    "TE: identity": post(b"Transfer-Encoding: identity", body=b""),
    "TE: identity beside a length": post(b"Transfer-Encoding: identity", b"Content-Length: 3", body=b"abc"),
    "TE: empty beside a length": post(b"Transfer-Encoding: ", b"Content-Length: 3", body=b"abc"),
    "TE: chunked with a parameter": post(b"Transfer-Encoding: chunked;q=1", body=b"3\r\nabc\r\n0\r\n\r\n"),
    "TE: a quoted chunked": post(b'Transfer-Encoding: "chunked"', body=b"3\r\nabc\r\n0\r\n\r\n"),
    "TE behind a bare LF": b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "HEAD with a body": request_line(b"HEAD /x HTTP/1.1", b"Content-Length: 3") + b"abc",
    "Connection names the length": post(b"Content-Length: 3", b"Connection: keep-alive, Content-Length", body=b"abc"),
    "Connection names the coding": post(b"Transfer-Encoding: chunked", b"Connection: Transfer-Encoding",
                                        body=b"3\r\nabc\r\n0\r\n\r\n"),
    "Connection names Host": get(b"Connection: keep-alive, Host"),
    "Connection names X-Forwarded-For": get(b"Connection: keep-alive, X-Forwarded-For", b"X-Forwarded-For: 1.2.3.4"),
    "an upgrade to h2c": get(b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA"),
}

CHUNKS = {
    "data without its end": b"3\r\nabcX\r\n0\r\n\r\n",
    "no size": b"\r\nabc\r\n0\r\n\r\n",
    "0x before a size": b"0x3\r\nabc\r\n0\r\n\r\n",
    "a blank before a size": b" 3\r\nabc\r\n0\r\n\r\n",
    "a blank behind a size": b"3 \r\nabc\r\n0\r\n\r\n",
    "an underscore in a size": b"0_3\r\nabc\r\n0\r\n\r\n",
    "a size with 17 digits, leading zeros": b"00000000000000003\r\nabc\r\n0\r\n\r\n",
    "a bare LF behind the size": b"3\nabc\r\n0\r\n\r\n",
    "a bare LF behind the data": b"3\r\nabc\n0\r\n\r\n",
    "a bare CR behind the size": b"3\rabc\r\n0\r\n\r\n",
    "a bare LF in an extension": b"3;a\nb\r\nabc\r\n0\r\n\r\n",
    "a bare CR in an extension": b"3;a\rb\r\nabc\r\n0\r\n\r\n",
    "NUL in an extension": b"3;a\x00b\r\nabc\r\n0\r\n\r\n",
    "an extension of 17 KiB": b"3;" + b"x" * 17000 + b"\r\nabc\r\n0\r\n\r\n",
    "a bare LF at the very end": b"3\r\nabc\r\n0\r\n\n",
    "a trailer named Content-Length": b"3\r\nabc\r\n0\r\nContent-Length: 9\r\n\r\n",
    "a trailer with a blank in its name": b"3\r\nabc\r\n0\r\nX Y: 1\r\n\r\n",
    "a trailer without a colon": b"3\r\nabc\r\n0\r\nnonsense\r\n\r\n",
    "70 KiB of trailers": b"3\r\nabc\r\n0\r\n" + (b"X: " + b"x" * 10000 + b"\r\n") * 7 + b"\r\n",
}

LEGAL_CHUNKS = {
    "an extension": b"3;a=b\r\nabc\r\n0\r\n\r\n",
    "a size with leading zeros": b"0003\r\nabc\r\n000\r\n\r\n",
    "a trailer": b"3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n",
}

HEADS = {
    "bare LFs as line ends": b"GET /x HTTP/1.1\nHost: a\n\n",
    "one bare LF among CR LFs": b"GET /x HTTP/1.1\r\nHost: a\r\nX: 1\nY: 2\r\n\r\n",
    "bare CRs as line ends": b"GET /x HTTP/1.1\rHost: a\r\r",
    "a bare CR in a name": get(b"X\rY: 1"),
    "NUL in a name": get(b"X\x00Y: 1"),
    "NUL in the target": request_line(b"GET /x\x00y HTTP/1.1"),
    "a first header line that begins with a blank": b"GET /x HTTP/1.1\r\n Host: a\r\n\r\n",
    "a fold with nothing but blanks": get(b"X: 1", b"  ", b"Y: 2"),
    "a line without a colon": get(b"nonsense"),
    "a space before a colon": get(b"X-Own : 1"),
    "DEL in a value": get(b"X: a\x7fb"),
    "no Host": b"GET /x HTTP/1.1\r\nX: 1\r\n\r\n",
    "two equal Hosts": b"GET /x HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
    "two Hosts": b"GET /x HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "a Host with a blank": b"GET /x HTTP/1.1\r\nHost: a b\r\n\r\n",
    "a Host with a slash": b"GET /x HTTP/1.1\r\nHost: a/b\r\n\r\n",
    "a Host with a user": b"GET /x HTTP/1.1\r\nHost: u@a\r\n\r\n",
    "a Host with a list": b"GET /x HTTP/1.1\r\nHost: a, b\r\n\r\n",
    "a Host whose port is none": b"GET /x HTTP/1.1\r\nHost: a:x\r\n\r\n",
    "a Host with a port of six digits": b"GET /x HTTP/1.1\r\nHost: a:999999\r\n\r\n",
    "an absolute target of another host": request_line(b"GET http://b/x HTTP/1.1"),
    "an absolute target with a user": request_line(b"GET http://u@a/x HTTP/1.1"),
    "an absolute target of another scheme": request_line(b"GET ftp://a/x HTTP/1.1"),
    "an absolute target without a host": request_line(b"GET http:///x HTTP/1.1"),
    "a target without a slash": request_line(b"GET x HTTP/1.1"),
    "* with GET": request_line(b"GET * HTTP/1.1"),
    "host and port with GET": request_line(b"GET a:80 HTTP/1.1"),
    "CONNECT": request_line(b"CONNECT a:80 HTTP/1.1"),
    "TRACE": request_line(b"TRACE /x HTTP/1.1"),
    "a fragment in the target": request_line(b"GET /x#y HTTP/1.1"),
    "a backslash in the target": request_line(b"GET /x\\y HTTP/1.1"),
    "dots beyond the root": request_line(b"GET /../x HTTP/1.1"),
    "bytes above 127 in the target": request_line(b"GET /\xc3\xa9 HTTP/1.1"),
    "DEL in the target": request_line(b"GET /x\x7f HTTP/1.1"),
    "a quote and angle brackets in the target": request_line(b'GET /"<> HTTP/1.1'),
    "HTTP/0.9": b"GET /x\r\n",
    "http/1.1 in small letters": request_line(b"GET /x http/1.1"),
    "HTTP/1.10": request_line(b"GET /x HTTP/1.10"),
    "HTTP/01.1": request_line(b"GET /x HTTP/01.1"),
    "HTTP/3.0": request_line(b"GET /x HTTP/3.0"),
    "a tab in the request line": request_line(b"GET\t/x HTTP/1.1"),
    "a blank behind the version": request_line(b"GET /x HTTP/1.1 "),
    "a blank before the method": request_line(b" GET /x HTTP/1.1"),
    "a method in small letters": request_line(b"get /x HTTP/1.1"),
    "a method with a comma": request_line(b"GE,T /x HTTP/1.1"),
    "a TLS hello": b"\x16\x03\x01\x00\x2e\x01\x00\x00\x2a\x03\x03" + b"\x00" * 36 + b"\r\n\r\n",
    "Expect: something else": post(b"Content-Length: 3", b"Expect: a-miracle", body=b"abc"),
    "600 header lines": get(*[b"X: 1"] * 600),
}

LEGAL_REQUESTS = {
    "GET": get(),
    "POST with a length": post(b"Content-Length: 3", body=b"abc"),
    "TE: CHUNKED in capitals": post(b"Transfer-Encoding: CHUNKED", body=b"3\r\nabc\r\n0\r\n\r\n"),
    "an empty line before the request": b"\r\n" + get(),
    "an absolute target of the same host": request_line(b"GET http://a/x HTTP/1.1"),
    "OPTIONS *": request_line(b"OPTIONS * HTTP/1.1"),
    "a method of its own": request_line(b"PURGE /x HTTP/1.1"),
    "HTTP/1.0 that keeps alive": b"GET /x HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n",
    "five requests at once": b"".join(request_line(b"GET /%d HTTP/1.1" % number) for number in range(5)),
    "Expect: 100-continue, the body without waiting": post(b"Content-Length: 3", b"Expect: 100-continue", body=b"abc"),
    "a header value of bytes above 127": get(b"X: caf\xc3\xa9"),
    "an empty header value": get(b"X:"),
    "a header line of 8 KB": get(b"X: " + b"x" * 8000),
    "a header line of 15 KiB": get(b"X: " + b"x" * (15 << 10)),
    "60 KiB of headers": get(*[b"X: " + b"x" * 10000] * 6),
    "a target of 15 KiB": request_line(b"GET /" + b"x" * (15 << 10) + b" HTTP/1.1"),
}


EARLY = post(b"Content-Length: 10", line=b"POST /early HTTP/1.1")
CONTINUE = post(b"Content-Length: 3", b"Expect: 100-continue")

# Two halves: the second comes when the client has heard something.
IN_TURN = [
    Case("In turn", "Expect: 100-continue, the body behind the 100", CONTINUE, LEGAL, later=b"abc", status=200),
    Case("In turn", "Expect: 100-continue in HTTP/1.0", CONTINUE.replace(b"HTTP/1.1", b"HTTP/1.0"), LEGAL, later=b"abc",
         status=200),
    Case("In turn", "an answer before the body is complete", EARLY + b"abc", LEGAL, later=b"defghij", status=413),
    Case("In turn", "a chunk at a time", post(b"Transfer-Encoding: chunked", body=b"3\r\nabc\r\n"), LEGAL,
         later=b"3\r\ndef\r\n0\r\n\r\n", status=200),
    Case("In turn", "a request behind a body that the answer did not wait for", EARLY,
         later=b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"),
    Case("In turn", "a body that never ends", post(b"Content-Length: 10", body=b"abc"), later=b"d"),
]


def limit_cases():
    for what, content, _, _, _ in test_lb_errors.Refusals.CASES:
        if "KiB" in what:
            yield Case("Heads", what, content)


def request_cases():
    found = [Case("Served", name, content, LEGAL) for name, content in LEGAL_REQUESTS.items()]
    found += [Case("Served", "chunks with " + name, chunked(body), LEGAL) for name, body in LEGAL_CHUNKS.items()]
    found += desync_cases()
    found += smuggling_cases()
    found += [Case("Lengths and connection", name, content, method="HEAD" if content.startswith(b"HEAD") else "GET")
              for name, content in LENGTHS.items()]
    found += [Case("Chunks", name, chunked(body)) for name, body in CHUNKS.items()]
    found += [Case("Heads", name, content) for name, content in HEADS.items()]
    found += limit_cases()
    found += IN_TURN
    known = set()
    return [one for one in found if one.content not in known and not known.add(one.content)]


OK = b"HTTP/1.1 200 OK\r\n"
GOOD, POISON = test_lb_safety.GOOD, test_lb_safety.POISON


def answer(*headers, body=b"", start=b"HTTP/1.1 200 OK"):
    return start + b"\r\n" + b"".join(one + b"\r\n" for one in headers) + b"\r\n" + body


LENGTH = b"Content-Length: 4"
ANSWERS = {
    "a length with a sign": answer(b"Content-Length: +4", body=b"good"),
    "two equal lengths": answer(LENGTH, LENGTH, body=b"good"),
    "a list of equal lengths": answer(b"Content-Length: 4, 4", body=b"good"),
    "a list of lengths": answer(b"Content-Length: 4, 5", body=b"good"),
    "an empty length": answer(b"Content-Length:", body=b"good"),
    "a length beyond 64 bits": answer(b"Content-Length: 99999999999999999999999", body=b"good"),
    "TE: gzip, chunked": answer(b"Transfer-Encoding: gzip, chunked", body=b"4\r\ngood\r\n0\r\n\r\n"),
    "TE: chunked, identity": answer(b"Transfer-Encoding: chunked, identity", body=b"4\r\ngood\r\n0\r\n\r\n"),
    "TE: xchunked": answer(b"Transfer-Encoding: xchunked", body=b"4\r\ngood\r\n0\r\n\r\n"),
    "TE: chunked twice": answer(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked", body=b"4\r\ngood\r\n0\r\n\r\n"),
    "TE: chunked in HTTP/1.0": answer(b"Transfer-Encoding: chunked", body=b"4\r\ngood\r\n0\r\n\r\n", start=b"HTTP/1.0 200 OK"),
    "Transfer_Encoding: chunked beside a length": answer(b"Transfer_Encoding: chunked", LENGTH, body=b"good"),
    "a negative chunk": answer(b"Transfer-Encoding: chunked", body=b"-4\r\ngood\r\n0\r\n\r\n"),
    "a chunk beyond 64 bits": answer(b"Transfer-Encoding: chunked", body=b"fffffffffffffffff\r\ngood\r\n0\r\n\r\n"),
    "a bare LF behind a chunk's size": answer(b"Transfer-Encoding: chunked", body=b"4\ngood\r\n0\r\n\r\n"),
    "a chunk's extension": answer(b"Transfer-Encoding: chunked", body=b"4;a=b\r\ngood\r\n0\r\n\r\n"),
    "a trailer named Content-Length": answer(b"Transfer-Encoding: chunked", body=b"4\r\ngood\r\n0\r\nContent-Length: 9\r\n\r\n"),
    "bare LFs as line ends": b"HTTP/1.1 200 OK\nContent-Length: 4\n\ngood",
    "a bare CR in a value": answer(b"X: a\rSet-Cookie: b", LENGTH, body=b"good"),
    "NUL in a value": answer(b"X: a\x00b", LENGTH, body=b"good"),
    "a control character in a value": answer(b"X: a\x1bb", LENGTH, body=b"good"),
    "a space before a colon": answer(b"Content-Length : 4", body=b"good"),
    "a folded header": answer(b"X: 1", b" folded", LENGTH, body=b"good"),
    "a header without a colon": answer(b"nonsense", LENGTH, body=b"good"),
    "an empty header name": answer(b": 1", LENGTH, body=b"good"),
    "a blank in a header name": answer(b"X Y: 1", LENGTH, body=b"good"),
    "a status of two digits": answer(LENGTH, body=b"good", start=b"HTTP/1.1 99 OK"),
    "a status of four digits": answer(LENGTH, body=b"good", start=b"HTTP/1.1 2000 OK"),
    "a status of 999": answer(LENGTH, body=b"good", start=b"HTTP/1.1 999 OK"),
    "HTTP/1.2": answer(LENGTH, body=b"good", start=b"HTTP/1.2 200 OK"),
    "http/1.1 in small letters": answer(LENGTH, body=b"good", start=b"http/1.1 200 OK"),
    "an answer in HTTP/0.9": b"<html>good</html>",
    "an empty line before the answer": b"\r\n" + GOOD,
    "600 header lines": answer(*[b"X: 1"] * 600, LENGTH, body=b"good"),
    "a header of 17 KiB": answer(b"X: " + b"x" * 17000, LENGTH, body=b"good"),
    "a name with a control character in Connection": answer(b"Connection: X-\x01, keep-alive", LENGTH, body=b"good"),
    "Connection names the length": answer(b"Connection: Content-Length", LENGTH, body=b"good"),
}

CUT = {
    "a length, closed before its end": answer(b"Content-Length: 10", body=b"abc"),
    "chunks, closed before their end": answer(b"Transfer-Encoding: chunked", body=b"3\r\nabc\r\n"),
    "chunks, closed in the last one": answer(b"Transfer-Encoding: chunked", body=b"3\r\nabc\r\n0\r\n"),
    "closed in the head": b"HTTP/1.1 200 OK\r\nContent-Le",
    "closed before the answer": b"",
}

LEGAL_ANSWERS = {
    "no reason phrase": answer(LENGTH, body=b"good", start=b"HTTP/1.1 200 "),
    "one interim answer": b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + GOOD,
    "a chunked body": answer(b"Transfer-Encoding: chunked", body=b"4\r\ngood\r\n0\r\n\r\n"),
    "204": b"HTTP/1.1 204 No Content\r\n\r\n",
    "304 with a length": b"HTTP/1.1 304 Not Modified\r\nContent-Length: 6\r\n\r\n",
    "30 KiB of headers": answer(*[b"X: " + b"x" * 10000] * 3, LENGTH, body=b"good"),
}


def answer_cases():
    found = [Case("Answers that are served", name, content, LEGAL) for name, content in LEGAL_ANSWERS.items()]
    found.append(Case("Answers that are served", "HTTP/1.0 until close", b"HTTP/1.0 200 OK\r\n\r\ngood", LEGAL, then="close"))
    found.append(Case("Answers that are served", "HEAD with a length", answer(LENGTH), LEGAL, method="HEAD"))
    found += [Case("Poison", name, content) for name, content in test_lb_safety.POISONED.items()]
    found.append(Case("Poison", "a body to HEAD", GOOD, method="HEAD"))
    found.append(Case("Poison", "a body and more to HEAD", GOOD + POISON, method="HEAD"))
    found += [Case("Broken answers", name, content) for name, content in ANSWERS.items()]
    found += [Case("Cut answers", name, content, then="close") for name, content in CUT.items()]
    return found
