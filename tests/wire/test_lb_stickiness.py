"""Stickiness: a client's requests stay with the target, or the target group, that answered its first one.

Clients here keep cookies by hand, as a browser would, or send what no browser would: forged, cut, foreign and repeated
ones. Each test looks at what the client got (which Set-Cookie lines, byte by byte) and at who saw the request, with which
Cookie.
"""

import calendar
import json
import re
import time

import harness
from balancer import Balancer, LoadBalancerTest, split_log_line

KEY = "5ec2e7" + "0" * 58
DATE = r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT"
TARGET_VALUE, GROUP_VALUE = r"[A-Za-z0-9+/]{128}", r"[A-Za-z0-9+/]{172}"
TARGET_COOKIES = ("AWSALB", "AWSALBCORS")
GROUP_COOKIES = ("AWSALBTG", "AWSALBTGCORS")


def cookies_of(response):
    """{name: value} of all Set-Cookie lines."""
    return dict(line.split(";")[0].split("=", 1) for line in response.all("set-cookie"))


def cookie_field(cookies):
    return "; ".join(f"{name}={value}" for name, value in cookies.items())


class StickinessTest(LoadBalancerTest):
    def start_balancer(self, groups, action, name="app", key=None):
        """rr-lb with these target groups ({name: (stickiness, targets)}) and this default action."""
        path = self.folder / f"{name}.yaml"
        settings = {"name": name, "unrestricted": True,
                    "listeners": [{"name": "http", "sockets": ["127.0.0.1:0"], "default_action": action}],
                    "target_groups": [self.group(one, *what) for one, what in groups.items()]}
        if key:
            settings["cookie_key"] = key
        path.write_text(json.dumps({"admin": "127.0.0.1:0", "access_log": str(self.folder / "access.log"),
                                    "load_balancers": [settings]}))
        lb = Balancer(self.start("rr-lb", "--config", path))
        for number, (_, targets) in enumerate(groups.values()):
            self.wait_healthy(lb, number, targets)
        return lb

    @staticmethod
    def group(name, stickiness, targets):
        return {"name": name, "stickiness": stickiness, "targets": [one.text for one in targets],
                "health_check": {"path": "/healthz", "interval": "100ms", "timeout": "2s", "unrestricted": True,
                                 "healthy_threshold": 2, "unhealthy_threshold": 2}}

    @staticmethod
    def wait_healthy(lb, number, targets):
        harness.eventually(lambda: all(lb.targets(number)[one.text]["state"] == "healthy" for one in targets),
                           "the targets are healthy")

    @staticmethod
    def ask(lb, cookies=None, headers=(), path="/"):
        pairs = list(headers)
        if cookies:
            pairs.append(("Cookie", cookies if isinstance(cookies, str) else cookie_field(cookies)))
        with harness.Connection(lb.address) as client:
            return client.get(path, pairs)


class LbCookie(StickinessTest):
    STICKY = {"enabled": True}

    def setUp(self):
        super().setUp()
        self.all = [self.target(name=name) for name in "abc"]
        self.a, self.b, self.c = self.all

    def balancer_of(self, targets=None, **more):
        return self.start_balancer({"web": (self.STICKY, targets or self.all)},
                                   {"type": "forward", "target_groups": ["web"]}, **more)

    def test_the_two_cookies_byte_by_byte(self):
        lb = self.balancer_of()
        before = int(time.time())
        answer = self.ask(lb)
        lines = answer.all("set-cookie")
        self.assertEqual(len(lines), 2, lines)
        plain = re.fullmatch(f"AWSALB=({TARGET_VALUE}); Expires=({DATE}); Path=/", lines[0])
        cors = re.fullmatch(f"AWSALBCORS=({TARGET_VALUE}); Expires=({DATE}); Path=/; SameSite=None", lines[1])
        self.assertTrue(plain and cors, lines)
        self.assertEqual(plain.groups(), cors.groups())
        expires = calendar.timegm(time.strptime(plain.group(2), "%a, %d %b %Y %H:%M:%S GMT"))
        self.assertIn(expires - before - 7 * 86400, range(0, 60), "seven days, whatever the duration")

    def test_a_client_stays_and_every_answer_renews_its_cookies(self):
        lb = self.balancer_of()
        first = self.ask(lb)
        kept, seen = cookies_of(first), set()
        for _ in range(9):
            answer = self.ask(lb, kept)
            self.assertEqual(answer.text, first.text)
            kept = cookies_of(answer)
            self.assertEqual(tuple(kept), TARGET_COOKIES)
            seen.add(kept["AWSALB"])
        self.assertEqual(len(seen), 9, "each value is a new one")
        self.assertEqual([self.ask(lb).text for _ in range(3)], ["b", "c", "a"], "others take their turns as ever")
        target = next(one for one in self.all if one.name == first.text)
        self.assertRegex(target.requests()[1].header("cookie"), f"^AWSALB={TARGET_VALUE}; AWSALBCORS={TARGET_VALUE}$",
                         "the target gets the client's cookies as they were")
        counters = lb.observed()["load_balancers"][0]["counters"]
        self.assertEqual((counters["non_sticky"], counters["app_cookie_non_sticky"]), (4, 0), "those without a cookie")
        self.assertRegex(harness.fetch(lb.admin_address, "/metrics").text,
                         r'\nNonStickyRequestCount{LoadBalancer="app/app/[0-9a-f]{16}"} 4\n')

    def test_either_cookie_alone_is_enough_and_that_of_cors_wins(self):
        lb = self.balancer_of()
        of_a, of_b = cookies_of(self.ask(lb))["AWSALB"], cookies_of(self.ask(lb))["AWSALB"]
        for cookies in ({"AWSALB": of_b}, {"AWSALBCORS": of_b}, {"AWSALB": of_a, "AWSALBCORS": of_b},
                        {"AWSALBCORS": of_b, "AWSALB": of_a}):
            for _ in range(2):
                self.assertEqual(self.ask(lb, cookies).text, "b", cookies)

    def test_what_is_no_cookie_of_ours_is_no_cookie(self):
        lb = self.balancer_of()
        value = cookies_of(self.ask(lb))["AWSALB"]
        changed = value[:60] + ("A" if value[60] != "A" else "B") + value[61:]
        foreign = cookies_of(self.ask(self.balancer_of(name="other")))["AWSALB"]
        repeated = f"AWSALB={value}; AWSALB={value}"
        for text in (f"AWSALB={changed}", f"AWSALB={value[:-1]}", f"AWSALB={value[:-4]}", f"AWSALB={value}AAAA",
                     f"AWSALB={foreign}", f'AWSALB="{value}"', "AWSALB=", "AWSALB", f"awsalb={value}",
                     "AWSALB=" + value.replace("+", "%2B").replace("/", "%2F").replace(value[0], "%41", 1),
                     "AWSALB=" + "A" * 12000, repeated, f"AWSALBTG={value}", "AWSALB=_remove_", "AWSALB=\xff\xfe"):
            with self.subTest(cookie=text[:40]):
                answers = [self.ask(lb, text) for _ in range(3)]
                self.assertEqual({one.text for one in answers}, {"a", "b", "c"}, "it takes turns")
                self.assertTrue(all(tuple(cookies_of(one)) == TARGET_COOKIES for one in answers), "and gets a cookie")
                self.assertEqual([one.status for one in answers], [200] * 3)
        in_two_fields = [("Cookie", f"AWSALB={value}")] * 2
        answers = {self.ask(lb, headers=in_two_fields).text for _ in range(3)}
        self.assertEqual(answers, {"a", "b", "c"}, "twice, in two fields")

    def test_an_unhealthy_target_is_left_for_good(self):
        lb = self.balancer_of()
        kept = cookies_of(self.ask(lb))
        self.a.health_status = 503
        lb.wait_for_states({self.a.text: "unhealthy"})
        moved = self.ask(lb, kept)
        self.assertEqual(moved.text, "b")
        self.a.health_status = 200
        lb.wait_for_states({self.a.text: "healthy"})
        self.assertEqual(self.ask(lb, cookies_of(moved)).text, "b")
        self.assertEqual(self.ask(lb, kept).text, "a", "the old cookie still names its target")

    def test_when_all_are_unhealthy_it_stays(self):
        lb = self.balancer_of()
        kept = cookies_of(self.ask(lb))
        for one in self.all:
            one.health_status = 503
        lb.wait_for_states({one.text: "unhealthy" for one in self.all})
        self.assertEqual({self.ask(lb, kept).text for _ in range(4)}, {"a"})

    def test_a_deregistered_target_is_left_while_its_request_goes_on(self):
        lb = self.balancer_of()
        kept = cookies_of(self.ask(lb))
        self.a.behaviour = lambda exchange: exchange.hold() and "a at last"
        with harness.Connection(lb.address) as waiting:
            waiting.request("GET", "/", [("Cookie", cookie_field(kept))])
            self.a.wait_for_requests(2)
            lb.admin("/targets", "PUT", {"targets": [self.b.text, self.c.text]})
            moved = self.ask(lb, kept)
            self.assertEqual(moved.text, "b")
            self.assertEqual(self.ask(lb, cookies_of(moved)).text, "b")
            self.a.release()
            answer = waiting.read_response()
            self.assertEqual(answer.text, "a at last")
            after = self.ask(lb, cookies_of(answer))
            self.assertIn(after.text, "bc", "what the draining target's answer set is followed no more")

    def test_a_duration_that_is_over(self):
        lb = self.start_balancer({"web": ({"enabled": True, "lb_cookie_duration": "1s"}, self.all)},
                                 {"type": "forward", "target_groups": ["web"]})
        kept = cookies_of(self.ask(lb))
        begun = time.monotonic()
        answers = []

        def has_moved():
            answers.append(self.ask(lb, kept).text)
            return answers[-1] != "a"
        harness.eventually(has_moved, "the cookie is followed no more")
        self.assertGreater(time.monotonic() - begun, 0.9)

    def test_two_nodes_with_one_key_understand_each_other_and_a_restart(self):
        one = self.balancer_of(key=KEY)
        two = self.balancer_of(key=KEY)
        kept = cookies_of(self.ask(one))
        self.assertEqual({self.ask(two, kept).text for _ in range(3)}, {"a"})
        self.assertEqual(self.ask(one, cookies_of(self.ask(two, kept))).text, "a")
        one.program.stop()
        again = self.balancer_of(key=KEY)
        self.assertEqual({self.ask(again, kept).text for _ in range(3)}, {"a"})
        alone = self.balancer_of()
        self.assertEqual({self.ask(alone, kept).text for _ in range(3)}, {"a", "b", "c"}, "it draws a key of its own")

    def test_the_key_is_shown_nowhere(self):
        lb = self.balancer_of(key=KEY)
        self.ask(lb)
        for path in ("/config", "/observed", "/targets", "/errors", "/warnings", "/metrics"):
            self.assertNotIn("5ec2e7", harness.fetch(lb.admin_address, path).text, path)
        for body in ('{"generation": 1, "load_balancers": [{"cookie_key": "' + KEY, json.dumps(
                {"generation": 1, "load_balancers": [{"name": "app", "cookie_key": KEY + "0"}]})):
            refused = harness.fetch(lb.admin_address, "/desired", "PUT", body=body.encode())
            self.assertEqual(refused.status, 400)
            self.assertNotIn("5ec2e7", refused.text)
        lb.program.stop()
        self.assertNotIn("5ec2e7", lb.program.text("stdout") + lb.program.text("stderr")
                         + (self.folder / "access.log").read_text())

    def test_its_cookies_survive_a_new_configuration(self):
        lb = self.balancer_of()
        kept = cookies_of(self.ask(lb))
        config = lb.admin("/config")
        config["generation"] = 1
        config["load_balancers"][0]["idle_timeout"] = "50s"
        lb.admin("/desired", "PUT", config)
        self.assertEqual({self.ask(lb, kept).text for _ in range(3)}, {"a"}, "also under a key that it drew")
        config["generation"] = 2
        config["load_balancers"][0]["cookie_key"] = KEY
        lb.admin("/desired", "PUT", config)
        self.assertEqual({self.ask(lb, kept).text for _ in range(3)}, {"a", "b", "c"}, "not under another key")

    def test_a_change_of_a_part_keeps_the_key(self):
        lb = self.balancer_of(key=KEY)
        kept = cookies_of(self.ask(lb))
        shown = lb.admin("/load_balancers/app", "PATCH", {"idle_timeout": 50})
        self.assertNotIn("5ec2e7", json.dumps(shown))
        group = lb.admin("/load_balancers/app/target_groups/web")
        lb.admin("/load_balancers/app/target_groups/web", "PATCH", {"deregistration_delay": 7})
        self.assertNotIn("5ec2e7", json.dumps(group))
        self.assertEqual({self.ask(lb, kept).text for _ in range(3)}, {"a"})
        alone = self.balancer_of(key=KEY)
        self.assertEqual(self.ask(alone, cookies_of(self.ask(lb, kept))).text, "a", "it is the same key still")

    def test_what_the_load_balancer_answers_itself_sets_nothing(self):
        self.a.behaviour = lambda exchange: exchange.reset()
        lb = self.balancer_of([self.a])
        answer = self.ask(lb)
        self.assertEqual((answer.status, answer.all("set-cookie")), (502, []))
        lb.admin("/targets", "PUT", {"targets": []})
        self.assertEqual(self.ask(lb).status, 503)

    def test_set_cookie_lines_of_the_target_stay(self):
        own = [("Set-Cookie", "x=1"), ("Set-Cookie", "y=2; Path=/")]
        self.a.behaviour = lambda exchange: exchange.respond(200, "a", headers=own)
        answer = self.ask(self.balancer_of([self.a]))
        self.assertEqual(answer.all("set-cookie")[:2], ["x=1", "y=2; Path=/"])
        self.assertEqual(tuple(cookies_of(answer)), ("x", "y") + TARGET_COOKIES)

    def test_every_kind_of_answer_carries_them(self):
        def answer(exchange):
            kind = exchange.request.path
            if kind == "/chunked":
                exchange.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n")
            elif kind == "/interim":
                exchange.send(b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
            else:
                exchange.respond(int(kind[1:]), "")
        self.a.behaviour = answer
        lb = self.balancer_of([self.a])
        for path in ("/chunked", "/interim", "/204", "/304", "/404", "/500"):
            with self.subTest(path=path):
                got = self.ask(lb, path=path)
                self.assertEqual(tuple(cookies_of(got)), TARGET_COOKIES)
                for interim in got.interim:
                    self.assertEqual(interim.all("set-cookie"), [])

    def test_a_websocket_is_sticky_by_its_handshake(self):
        upgrade = [("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"),
                   ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")]

        def switch(exchange):
            if not exchange.request.header("upgrade"):
                return exchange.target.name
            exchange.send(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
                          + exchange.target.name.encode())
            return exchange.close()
        for one in self.all:
            one.behaviour = switch
        lb = self.balancer_of()
        kept = cookies_of(self.ask(lb))
        with harness.Connection(lb.address) as client:
            client.request("GET", "/", upgrade + [("Cookie", cookie_field(kept))])
            raw = client.read_all().decode("latin-1")
        self.assertTrue(raw.startswith("HTTP/1.1 101 "), raw)
        self.assertTrue(raw.endswith("\r\n\r\na"), raw)
        self.assertRegex(raw, f"\r\nSet-Cookie: AWSALB={TARGET_VALUE}; ")


class AppCookie(StickinessTest):
    STICKY = {"enabled": True, "type": "app_cookie", "app_cookie_name": "session"}

    def setUp(self):
        super().setUp()
        self.all = [self.target(name=name) for name in "abc"]
        self.a, self.b, self.c = self.all
        for one in self.all:
            one.behaviour = self.log_in

    @staticmethod
    def log_in(exchange):
        path, name = exchange.request.path, exchange.target.name
        cookie = {"/login": f"session=of-{name}; HttpOnly", "/logout": "session=; Max-Age=0"}.get(path)
        exchange.respond(200, name, headers=[("Set-Cookie", cookie)] if cookie else [])

    def balancer_of(self, **more):
        action = {"type": "forward", "target_groups": ["web"]}
        return self.start_balancer({"web": (self.STICKY, self.all)}, action, **more)

    def test_nothing_is_set_before_the_application_sets_its_own(self):
        lb = self.balancer_of()
        self.assertEqual([(one.text, one.all("set-cookie")) for one in (self.ask(lb) for _ in range(3))],
                         [("a", []), ("b", []), ("c", [])])
        login = self.ask(lb, path="/login")
        lines = login.all("set-cookie")
        self.assertEqual(lines[0], "session=of-a; HttpOnly")
        self.assertRegex(lines[1], f"^AWSALBAPP-0=[A-Za-z0-9+/]+=*; Expires={DATE}; Path=/$")
        self.assertEqual(len(lines), 2)

    def test_both_cookies_keep_the_client_and_each_answer_renews_ours(self):
        lb = self.balancer_of()
        self.ask(lb)
        kept = cookies_of(self.ask(lb, path="/login"))
        for _ in range(5):
            answer = self.ask(lb, kept)
            self.assertEqual(answer.text, "b")
            self.assertEqual(tuple(cookies_of(answer)), ("AWSALBAPP-0",))
            kept.update(cookies_of(answer))
        sent = self.b.requests()[-1].header("cookie")
        self.assertIn("session=of-b", sent, "the application's cookie is passed on untouched")

    def test_one_cookie_without_the_other_keeps_nobody(self):
        lb = self.balancer_of()
        kept = cookies_of(self.ask(lb, path="/login"))
        for name in kept:
            with self.subTest(only=name):
                answers = [self.ask(lb, {name: kept[name]}) for _ in range(3)]
                self.assertEqual({one.text for one in answers}, {"a", "b", "c"})
                self.assertEqual([one.all("set-cookie") for one in answers], [[]] * 3)
        counters = lb.observed()["load_balancers"][0]["counters"]
        self.assertEqual(counters["app_cookie_non_sticky"], 3, "those that came with the application's cookie alone")

    def test_when_the_applications_cookie_changes_or_expires(self):
        lb = self.balancer_of()
        kept = cookies_of(self.ask(lb, path="/login"))
        kept["session"] = "of-somebody-else"
        self.assertEqual({self.ask(lb, kept).text for _ in range(3)}, {"a"}, "its value says nothing")
        again = cookies_of(self.ask(lb, kept, path="/login"))
        self.assertEqual(again["session"], "of-a", "a new login stays where the session is")
        logout = self.ask(lb, again, path="/logout")
        self.assertEqual(tuple(cookies_of(logout)), ("session", "AWSALBAPP-0"), "its life is not looked at")
        left = {"AWSALBAPP-0": cookies_of(logout)["AWSALBAPP-0"]}
        self.assertEqual({self.ask(lb, left).text for _ in range(3)}, {"a", "b", "c"}, "a client that dropped it is free")

    def test_a_session_moves_from_an_unhealthy_target_and_stays(self):
        lb = self.balancer_of()
        kept = cookies_of(self.ask(lb, path="/login"))
        self.a.health_status = 503
        lb.wait_for_states({self.a.text: "unhealthy"})
        moved = self.ask(lb, kept)
        self.assertEqual(moved.text, "b")
        kept.update(cookies_of(moved))
        self.a.health_status = 200
        lb.wait_for_states({self.a.text: "healthy"})
        self.assertEqual({self.ask(lb, kept).text for _ in range(4)}, {"b"})

    def test_one_cookie_covers_several_groups(self):
        d, e = self.target(name="d"), self.target(name="e")
        for one in (*self.all, d, e):
            one.behaviour = lambda exchange: exchange.respond(
                200, exchange.target.name, headers=[("Set-Cookie", "session=1")] if "login" in exchange.request.path else [])
        to_api = {"priority": 1, "action": {"type": "forward", "target_groups": ["api"]},
                  "conditions": [{"field": "query-string", "values": [{"key": "g", "value": "api"}]}]}
        path = self.folder / "rules.yaml"
        path.write_text(json.dumps({"admin": "127.0.0.1:0", "load_balancers": [{
            "name": "app",
            "target_groups": [self.group("web", self.STICKY, self.all), self.group("api", self.STICKY, [d, e])],
            "listeners": [{"sockets": ["127.0.0.1:0"], "rules": [to_api],
                           "default_action": {"type": "forward", "target_groups": ["web"]}}]}]}))
        lb = Balancer(self.start("rr-lb", "--config", path))
        self.wait_healthy(lb, 0, self.all)
        self.wait_healthy(lb, 1, [d, e])
        kept = cookies_of(self.ask(lb, path="/login"))
        kept.update(cookies_of(self.ask(lb, kept, path="/login?g=api")))
        for _ in range(3):
            for path_of, expected in (("/", "a"), ("/?g=api", "d")):
                answer = self.ask(lb, kept, path=path_of)
                self.assertEqual(answer.text, expected)
                kept.update(cookies_of(answer))


class TargetGroupStickiness(StickinessTest):
    def setUp(self):
        super().setUp()
        self.blue, self.green = self.target(name="blue"), self.target(name="green")

    def action(self, blue=1, green=1, enabled=True):
        return {"type": "forward", "target_groups": [{"target_group": "blue", "weight": blue},
                                                     {"target_group": "green", "weight": green}],
                "stickiness": {"enabled": enabled, "duration": "1h"}}

    def balancer_of(self, action=None, blue=None, stickiness=None, **more):
        blue = blue or [self.blue]
        return self.start_balancer({"blue": (stickiness or {}, blue), "green": (stickiness or {}, [self.green])},
                                   action or self.action(), **more)

    def first(self, lb, wanted):
        """The cookies of a first answer that this group gave."""
        found = []

        def is_wanted():
            found[:] = [self.ask(lb)]
            return found[0].text == wanted
        harness.eventually(is_wanted, f"{wanted} is drawn")
        return cookies_of(found[0])

    def test_the_two_cookies_byte_by_byte(self):
        lines = self.ask(self.balancer_of()).all("set-cookie")
        self.assertEqual(len(lines), 2, lines)
        plain = re.fullmatch(f"AWSALBTG=({GROUP_VALUE}); Expires=({DATE}); Path=/", lines[0])
        cors = re.fullmatch(f"AWSALBTGCORS=({GROUP_VALUE}); Expires=({DATE}); Path=/; SameSite=None", lines[1])
        self.assertTrue(plain and cors, lines)
        self.assertEqual(plain.groups(), cors.groups())

    def test_a_client_stays_with_its_group(self):
        lb = self.balancer_of()
        for wanted in ("blue", "green"):
            kept = self.first(lb, wanted)
            for _ in range(10):
                answer = self.ask(lb, kept)
                self.assertEqual(answer.text, wanted)
                kept = cookies_of(answer)
                self.assertEqual(tuple(kept), GROUP_COOKIES)

    def test_off_every_request_is_drawn(self):
        lb = self.balancer_of(self.action(enabled=False))
        answers = [self.ask(lb) for _ in range(40)]
        # All of one colour: 2 x (1/2)^40.
        self.assertEqual({one.text for one in answers}, {"blue", "green"})
        self.assertTrue(all(not one.all("set-cookie") for one in answers))

    def test_a_weight_of_zero_is_for_new_clients(self):
        lb = self.balancer_of(key=KEY)
        kept = self.first(lb, "blue")
        config = lb.admin("/config")
        config["generation"] = 1
        config["load_balancers"][0]["cookie_key"] = KEY
        config["load_balancers"][0]["listeners"][0]["default_action"] = self.action(blue=0)
        lb.admin("/desired", "PUT", config)
        self.assertEqual({self.ask(lb, kept).text for _ in range(10)}, {"blue"})
        self.assertEqual({self.ask(lb).text for _ in range(10)}, {"green"})

    def test_a_group_without_targets_is_not_left(self):
        lb = self.balancer_of()
        kept = self.first(lb, "blue")
        lb.admin("/targets", "PUT", {"target_group": "blue", "targets": []})
        answers = [self.ask(lb, kept) for _ in range(5)]
        self.assertEqual([one.status for one in answers], [503] * 5)
        self.assertEqual([one.all("set-cookie") for one in answers], [[]] * 5)

    def test_with_sticky_targets_all_four_cookies_hold_both(self):
        extra = self.target(name="blue2")
        lb = self.balancer_of(blue=[self.blue, extra], stickiness={"enabled": True})
        for wanted in ("blue", "blue2", "green"):
            kept = self.first(lb, wanted)
            self.assertEqual(tuple(kept), GROUP_COOKIES + TARGET_COOKIES)
            for _ in range(6):
                answer = self.ask(lb, kept)
                self.assertEqual(answer.text, wanted)
                kept = cookies_of(answer)
        only_group = {name: kept[name] for name in GROUP_COOKIES}
        self.assertEqual({self.ask(lb, only_group).text for _ in range(4)}, {"green"})

    def test_a_cookie_that_cannot_be_read_is_named_in_the_log_and_no_error(self):
        lb = self.balancer_of()
        kept = self.first(lb, "blue")
        value = kept["AWSALBTG"]
        for cookie in (f"AWSALBTG={value}", f"AWSALBTG={value[:-4]}", "AWSALBTG=" + value[:-3] + "%3D", None):
            self.assertEqual(self.ask(lb, cookie, path="/marked").status, 200)
        lines = [split_log_line(line) for line in self.log_lines(lb)]
        reasons = [fields[24] for fields in lines if "/marked" in fields[12]]
        self.assertEqual(reasons, ["-", "AWSALBTGCookieInvalid", "AWSALBTGCookieInvalid", "-"])


class Refused(StickinessTest):
    def test_combinations_that_aws_refuses(self):
        weighted = {"type": "forward", "target_groups": ["web", "api"]}
        for sticky, action, complaint in (
                ({"enabled": True}, weighted, "stickiness.enabled: false does not go with target group 'web'"),
                ({"enabled": True, "type": "app_cookie", "app_cookie_name": "s"}, weighted, "stickiness of type app_cookie"),
                ({"enabled": True, "type": "app_cookie", "app_cookie_name": "AWSALBTG"}, None, "which is reserved"),
                ({"enabled": True, "lb_cookie_duration": "0.5s"}, None, "500ms is out of range: 1s to 604800s")):
            with self.subTest(sticky=sticky):
                path = self.folder / "wrong.yaml"
                path.write_text(json.dumps({"load_balancers": [{
                    "name": "app", "listeners": [{"sockets": ["127.0.0.1:0"], "default_action":
                                                  action or {"type": "forward", "target_groups": ["web"]}}],
                    "target_groups": [{"name": "web", "stickiness": sticky}, {"name": "api"}]}]}))
                program = self.start("rr-lb", "--config", path)
                self.assertEqual(program.wait(), 2)
                self.assertIn(complaint, program.text("stderr"))
