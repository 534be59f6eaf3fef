"""Listener rules as clients and targets meet them.

One balancer with two target groups and a rule of each kind of action, read from a configuration file: the right group
gets the request, redirects and fixed responses have the ALB's bytes, a rewrite changes what the target sees and nothing
else, and the access log names the rule.
"""

import json
import re

import harness
from balancer import Balancer, LoadBalancerTest, raw_exchange, split_log_line

RULES = """
          - priority: 10
            conditions: [{field: path-pattern, values: [/api/*]}]
            action: {type: forward, target_groups: [api]}
            url_rewrite: {regex: "^/api/(.*)$", replace: "/$1"}
            host_header_rewrite: {regex: "^old[.]", replace: "new."}
          - priority: 20
            conditions: [{field: host-header, values: [secure.example.com]}]
            action: {type: redirect, protocol: HTTPS, port: 443, status: 301}
          - priority: 21
            conditions: [{field: path-pattern, values: [/moved]}]
            action: {type: redirect, path: "/x/#{path}", status: 302}
          - priority: 30
            conditions:
              - {field: http-header, name: X-Maintenance, values: ["on"]}
              - {field: http-request-method, values: [GET, HEAD]}
            action: {type: fixed-response, status: 503, content_type: text/plain, body: back soon}
          - priority: 40
            conditions: [{field: query-string, values: [{key: group, value: api}]}]
            action: {type: forward, target_groups: [api]}
          - priority: 50
            conditions: [{field: path-pattern, values: [/broken]}]
            action: {type: forward, target_groups: [api]}
            url_rewrite: {regex: "^/broken", replace: "no-slash"}
"""


class Rules(LoadBalancerTest):
    def setUp(self):
        super().setUp()
        self.web, self.api = self.target(), self.target()
        path = self.folder / "rr-lb.yaml"
        check = "{path: /healthz, interval: 100ms, timeout: 2s, unrestricted: true}"
        path.write_text(f"""admin: 127.0.0.1:0
access_log: {self.folder / "access.log"}
load_balancers:
  - name: app
    listeners:
      - name: http
        sockets: [127.0.0.1:0]
        default_action: {{type: forward, target_groups: [web]}}
        rules:{RULES}
    target_groups:
      - {{name: web, health_check: {check}, targets: [{self.web.text}]}}
      - {{name: api, health_check: {check}, targets: [{self.api.text}]}}
""")
        self.lb = Balancer(self.start("rr-lb", "--config", path))
        self.lb.wait_for_states({self.web.text: "healthy"})
        self.wait_for_group(1, self.api)

    def wait_for_group(self, group, target):
        harness.eventually(lambda: self.lb.targets(group)[target.text]["state"] == "healthy", "the target is healthy")

    def ask(self, target, method="GET", host="a.example.com", headers=""):
        content = f"{method} {target} HTTP/1.1\r\nHost: {host}\r\n{headers}Connection: close\r\n\r\n"
        return raw_exchange(self.lb.address, content.encode()).decode("latin-1")

    def test_the_first_rule_that_holds_decides(self):
        self.ask("/")
        self.ask("/?group=API")
        self.assertEqual(self.web.wait_for_requests(1)[0].path, "/")
        self.assertEqual(self.api.wait_for_requests(1)[0].path, "/?group=API")
        lines = [split_log_line(line) for line in self.log_lines(self.lb)]
        self.assertEqual([fields[20] for fields in lines], ["0", "40"], "the priorities of the rules that matched")

    def test_a_rewrite_changes_what_the_target_sees(self):
        self.ask("/api/users?id=7", host="old.example.com")
        seen = self.api.wait_for_requests(1)[0]
        self.assertEqual(seen.path, "/users?id=7")
        self.assertEqual(seen.header("host"), f"new.example.com:{self.lb.port}")
        fields = split_log_line(self.log_lines(self.lb)[0])
        self.assertIn("/api/users?id=7", fields[12], "the log has the URL as the client sent it")
        self.assertEqual(fields[30:33], ["new.example.com", "/users?id=7", "TransformSuccess"])

    def test_a_rewrite_that_makes_no_url_is_answered_500(self):
        answer = self.ask("/broken")
        self.assert_error_page(answer.encode("latin-1"), 500, "Internal Server Error", "close")
        self.assertEqual(self.api.requests(), [], "nothing of it reaches a target")

    def test_redirects_have_the_albs_bytes(self):
        date = r"Date: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT"
        answer = self.ask("/cart?id=7", host="secure.example.com")
        page = ("<html>\r\n<head><title>301 Moved Permanently</title></head>\r\n<body>\r\n"
                "<center><h1>301 Moved Permanently</h1></center>\r\n</body>\r\n</html>\r\n")
        self.assertEqual(len(page), 134)
        self.assertRegex(answer, "^HTTP/1.1 301 Moved Permanently\r\nServer: awselb/2.0\r\n" + date +
                         "\r\nContent-Type: text/html\r\nContent-Length: 134\r\nConnection: close\r\n"
                         "Location: https://secure.example.com:443/cart\\?id=7\r\n\r\n" + re.escape(page) + "$")
        answer = self.ask("/moved")
        self.assertTrue(answer.startswith("HTTP/1.1 302 Moved Temporarily\r\n"), answer)
        self.assertIn(f"\r\nLocation: http://a.example.com:{self.lb.port}/x/moved\r\n", answer)
        self.assertIn("<title>302 Found</title>", answer)
        fields = split_log_line(self.log_lines(self.lb)[0])
        self.assertEqual((fields[4], fields[8], fields[9], fields[16], fields[22], fields[23]),
                         ("-", "301", "-", "-", "redirect", "https://secure.example.com:443/cart?id=7"))

    def test_a_redirect_beyond_8_k_is_answered_507(self):
        room = 8 * 1024 - len("https://secure.example.com:443")
        at_the_limit, beyond = "/" + "x" * (room - 1), "/" + "x" * room
        self.assertTrue(self.ask(at_the_limit, host="secure.example.com").startswith("HTTP/1.1 301 "))
        answer = self.ask(beyond, host="secure.example.com")
        self.assert_error_page(answer.encode("latin-1"), 507, "Insufficient Storage", "close")

    def test_a_fixed_response_needs_all_its_conditions(self):
        answer = self.ask("/", headers="X-Maintenance: ON\r\n")
        self.assertTrue(answer.startswith("HTTP/1.1 503 Service Unavailable\r\n"), answer)
        self.assertTrue(answer.endswith("\r\n\r\nback soon"), answer)
        self.ask("/", method="DELETE", headers="X-Maintenance: on\r\n")
        self.assertEqual(self.web.wait_for_requests(1)[0].method, "DELETE")

    def test_new_rules_take_effect_without_losing_a_connection(self):
        config = self.lb.admin("/config")
        with harness.Connection(self.lb.address) as client:
            client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            self.assertEqual(client.read_response().status, 200)
            config["generation"] += 1
            config["load_balancers"][0]["listeners"][0]["rules"] = [
                {"priority": 1, "conditions": [{"field": "path-pattern", "values": ["/*"]}],
                 "action": {"type": "fixed-response", "status": 404, "body": "gone"}}]
            self.lb.admin("/desired", "PUT", config)
            client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            self.assertEqual(client.read_response().status, 404)
            config["generation"] += 1
            config["load_balancers"][0]["listeners"][0]["rules"].append({"priority": 1, "conditions": [], "action": {}})
            errors = self.lb.admin("/desired", "PUT", config, expect=400)["errors"]
            self.assertTrue(any("target_groups: is missing" in error for error in errors), errors)
            config["load_balancers"][0]["listeners"][0]["rules"][1] = config["load_balancers"][0]["listeners"][0]["rules"][0]
            errors = self.lb.admin("/desired", "PUT", config, expect=400)["errors"]
            self.assertTrue(any("PriorityInUse" in error for error in errors), json.dumps(errors))
            client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            self.assertEqual(client.read_response().status, 404, "the old configuration stays")
