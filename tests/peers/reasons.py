"""Why rr-lb lets through what a peer does not, where that is right. A case that is not here fails the comparison."""

import re

DEFENSIVE = "as the ALB's defensive mode: passed in one reading, without what is doubtful; strictest refuses it"

REASONS = [
    # (group, regular expression on the case's name, why)
    ("Desync table", "^(NonCompliant|SpaceInUri|AmbiguousUri|Undefined|EmptyHeader|Duplicate|BothTeCl)", DEFENSIVE),
    ("Two readings", "^(CL.TE|TE.CL|space before|tab before|TE in HTTP/1.0|a folded header|an empty header name)", DEFENSIVE),
    ("Lengths and connection", "^TE: identity", "the ALB supports identity: it is left out, and both connections are "
                                                "closed"),
    ("Heads", "^(a fold with nothing|a space before a colon|DEL in the target|a blank behind the version)", DEFENSIVE),
    ("Heads", "^an absolute target of another host", "RFC 9112 section 3.2.2 and the ALB: the target's host counts, and it alone "
                                                      "goes on"),
    ("Heads", "^dots beyond the root", "the ALB passes the path on as it came; rules see it normalised"),
    ("Heads", "^bytes above 127", "the ALB takes them; they go on percent-encoded"),
    ("Heads", "^a method in small letters", "a method is any token; nothing else is read into it"),
    ("In turn", "^an answer before the body is complete", "they keep the client's connection; here both are closed, so that what "
                "is still to come of the body is never taken for a request"),
    ("Poison", "^interim responses and more", "three are lawful; nginx of this version knows none"),
]


def find(case):
    return next((why for group, expression, why in REASONS if group == case.group and re.search(expression, case.name)),
                None)
