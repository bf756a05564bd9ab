"""Mail through the real binary to a real SMTP server (aiosmtpd): encryption, authentication, headers, parts; and
the same mail from Debian's Alertmanager beside it."""

import email
import email.header
import hashlib
import hmac
import ssl
import subprocess
import sys

sys.path.append("/usr/lib/python3/dist-packages")  # Debian's, for a Python that is not

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult

import harness
from harness import stays, wait_until

PASSWORD = "mailS3cretPassword"
SECRET = "cramS3cretValue"


class Mailbox:
    """Takes every mail; knows one user."""

    def __init__(self):
        self.mails = []      # (session, envelope)
        self.auths = []      # (mechanism, login as it came)
        self.refuse_rcpt = []

    def check(self, server, session, envelope, mechanism, data):
        self.auths.append((mechanism, data))
        known = data.login == b"user" and data.password == PASSWORD.encode()
        return AuthResult(success=known, handled=known)

    async def auth_CRAM__MD5(self, server, args):
        challenge = "<1896.697170952@postoffice.reston.mci.net>"
        answer = await server.challenge_auth(challenge)
        user, digest = answer.decode().rsplit(" ", 1)
        self.auths.append(("CRAM-MD5", user))
        good = hmac.new(SECRET.encode(), challenge.encode(), hashlib.md5).hexdigest()
        return AuthResult(success=user == "user" and hmac.compare_digest(digest, good))

    async def handle_RCPT(self, server, session, envelope, address, options):
        if self.refuse_rcpt:
            return self.refuse_rcpt.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        self.mails.append((session, envelope))
        return "250 queued"


class MailServer(Controller):
    def __init__(self, mailbox, **options):
        self.options = options
        super().__init__(mailbox, hostname="127.0.0.1", port=harness.free_port(),
                         ssl_context=options.pop("implicit", None))

    def factory(self):
        return SMTP(self.handler, authenticator=self.handler.check, hostname="mx.test", enable_SMTPUTF8=True,
                    **self.options)


def config(server, more="", receiver="", send_resolved="false"):
    return f"""
global: {{smtp_from: 'Alert Manager <am@example.org>', smtp_smarthost: '127.0.0.1:{server.port}', smtp_hello: alerts.test{more}}}
route: {{receiver: mail, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}}
receivers:
- name: mail
  email_configs:
  - {{to: 'a@x.org, "B" <b@x.org>', send_resolved: {send_resolved}{receiver}}}
"""


def decoded(text):
    return str(email.header.make_header(email.header.decode_header(text)))


class Email(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.box = Mailbox()

    def server(self, **options):
        server = MailServer(self.box, **options)
        server.start()
        self.addCleanup(server.stop)
        return server

    def certificate(self):
        """A certificate for mx.test that is its own authority; its path, and a context that serves it."""
        crt, key = self.directory / "crt.pem", self.directory / "key.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-days", "2", "-subj", "/CN=mx.test", "-addext", "subjectAltName=DNS:mx.test", "-keyout", key,
                        "-out", crt], check=True, capture_output=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(crt, key)
        return crt, context

    def mail(self, number=0):
        wait_until(lambda: len(self.box.mails) > number, "a mail")
        session, envelope = self.box.mails[number]
        return session, envelope, email.message_from_bytes(envelope.content)

    def rows(self, daemon):
        return [(row["outcome"], row["error"]) for row in
                daemon.rows("SELECT outcome, error FROM notifications ORDER BY id")]

    def assert_no_secret(self, daemon):
        surfaces = [daemon.log().encode(), daemon.get("/api/v2/status").body, daemon.get("/metrics").body]
        surfaces += [file.read_bytes() for file in daemon.storage.iterdir()]
        for data in surfaces:
            for secret in (PASSWORD, SECRET):
                self.assertNotIn(secret.encode(), data)

    def test_plain_mail_with_all_its_headers_and_parts(self):
        server = self.server(auth_require_tls=False)
        daemon = self.mlalert(config(
            server, ", smtp_require_tls: false", send_resolved="true",
            receiver=", headers: {X-Foo: 'bé {{ .Status }}', reply-to: z@z}, text: 'plain {{ template \"__subject\" . }}', "
                     "threading: {enabled: true, thread_by_date: daily}"))
        labels = {"alertname": "Dérive", "note": "<b>&"}
        daemon.post_alerts(labels)
        session, envelope, mail = self.mail()
        self.assertEqual(session.host_name, "alerts.test")
        self.assertEqual(envelope.mail_from, "am@example.org")
        self.assertEqual(envelope.rcpt_tos, ["a@x.org", "b@x.org"])
        self.assertIn("BODY=8BITMIME", envelope.mail_options)
        self.assertEqual(decoded(mail["Subject"]), "[FIRING:1] Dérive (<b>&)")
        self.assertEqual(mail["To"], 'a@x.org, "B" <b@x.org>')
        self.assertEqual(mail["From"], "Alert Manager <am@example.org>")
        self.assertEqual(decoded(mail["X-Foo"]), "bé firing")
        self.assertEqual(mail["Reply-To"], "z@z")
        self.assertRegex(mail["Message-Id"], r"^<\d+\.\d+@\S+>$")
        self.assertEqual(mail["References"], mail["In-Reply-To"])
        self.assertIsNotNone(email.utils.parsedate_to_datetime(mail["Date"]))
        text, html = mail.get_payload()
        self.assertEqual(text.get_content_type(), "text/plain")
        self.assertEqual(text.get_payload(decode=True).decode(), "plain [FIRING:1] Dérive (<b>&)")
        self.assertEqual(html.get_content_type(), "text/html")
        page = html.get_payload(decode=True).decode()
        self.assertIn("note = &lt;b&gt;&amp;", page)
        self.assertIn("View in Alertmanager", page)
        daemon.resolve(labels)
        _, _, resolved = self.mail(1)
        self.assertEqual(decoded(resolved["Subject"]), "[RESOLVED] Dérive (<b>&)")
        self.assertEqual(resolved["References"], mail["References"])
        self.assertNotEqual(resolved["Message-Id"], mail["Message-Id"])
        wait_until(lambda: [row[0] for row in self.rows(daemon)] == ["sent", "sent"], "both on record")

    def test_starttls_and_login(self):
        crt, context = self.certificate()
        server = self.server(tls_context=context, require_starttls=True)
        daemon = self.mlalert(config(server, f", smtp_auth_username: user, smtp_auth_password: {PASSWORD}, "
                                     f"smtp_tls_config: {{ca_file: {crt}, server_name: mx.test}}"))
        daemon.post_alerts({"alertname": "A"})
        session, _, _ = self.mail()
        self.assertIsNotNone(session.ssl)
        self.assertIn(self.box.auths[0][0], ("LOGIN", "PLAIN"))
        self.assert_no_secret(daemon)

    def test_starttls_checks_the_certificate(self):
        crt, context = self.certificate()
        server = self.server(tls_context=context)
        daemon = self.mlalert(config(server, f", smtp_tls_config: {{ca_file: {crt}}}"))  # for 127.0.0.1: wrong name
        daemon.post_alerts({"alertname": "A"})
        wait_until(lambda: self.rows(daemon), "an attempt")
        self.assertEqual(self.rows(daemon)[0][0], "retrying")
        self.assertIn("tls: ", self.rows(daemon)[0][1])
        self.assertEqual(self.box.mails, [])

    def test_without_starttls_nothing_is_sent_unless_allowed(self):
        server = self.server(auth_require_tls=False)
        daemon = self.mlalert(config(server))
        daemon.post_alerts({"alertname": "A"})
        wait_until(lambda: self.rows(daemon), "an attempt")
        self.assertEqual(self.rows(daemon)[0], (
            "retrying", f"'require_tls' is true (default) but \"127.0.0.1:{server.port}\" does not advertise the STARTTLS "
            "extension"))
        self.assertEqual(self.box.mails, [])

    def test_implicit_tls(self):
        crt, context = self.certificate()
        server = self.server(implicit=context, auth_require_tls=False)
        daemon = self.mlalert(config(server, ", smtp_force_implicit_tls: true, "
                                     f"smtp_tls_config: {{ca_file: {crt}, server_name: mx.test}}, "
                                     f"smtp_auth_username: user, smtp_auth_password: {PASSWORD}"))
        daemon.post_alerts({"alertname": "A"})
        self.mail()
        self.assertEqual(len(self.box.auths), 1)

    def test_each_mechanism(self):
        for mechanism in ("LOGIN", "PLAIN", "CRAM-MD5"):
            others = {"LOGIN", "PLAIN", "CRAM-MD5"} - {mechanism}
            self.box = Mailbox()
            server = self.server(auth_require_tls=False, auth_exclude_mechanism=sorted(others))
            daemon = harness.Mlalert(self, config(
                server, ", smtp_require_tls: false, smtp_auth_username: user, "
                f"smtp_auth_password: {PASSWORD}, smtp_auth_secret: {SECRET}"), name=f"mlalert-{mechanism}")
            daemon.post_alerts({"alertname": "A"})
            self.mail()
            self.assertEqual([auth[0] for auth in self.box.auths], [mechanism])
            self.assert_no_secret(daemon)
            daemon.stop()

    def test_a_wrong_password_is_tried_again_and_shown_nowhere(self):
        server = self.server(auth_require_tls=False, auth_exclude_mechanism=["CRAM-MD5"])
        path = self.write("password", "wrong\n")
        daemon = self.mlalert(config(server, ", smtp_require_tls: false, smtp_auth_username: user, "
                                     f"smtp_auth_password_file: {path}"))
        daemon.post_alerts({"alertname": "A"})
        wait_until(lambda: self.rows(daemon), "an attempt")
        self.assertIn("535", self.rows(daemon)[0][1])
        self.write("password", f"{PASSWORD}\n")  # read anew for each attempt
        self.mail()
        self.assert_no_secret(daemon)

    def test_a_refused_recipient_is_tried_again(self):
        self.box.refuse_rcpt = ["450 greylisted, come back"]
        server = self.server(auth_require_tls=False)
        daemon = self.mlalert(config(server, ", smtp_require_tls: false"))
        daemon.post_alerts({"alertname": "A"})
        self.mail()
        wait_until(lambda: len(self.rows(daemon)) == 2, "both attempts on record")
        self.assertEqual(self.rows(daemon), [("retrying", "send RCPT command: 450 greylisted, come back"), ("sent", "")])

    def test_a_bad_recipient_is_final(self):
        server = self.server(auth_require_tls=False)
        daemon = self.mlalert(config(server, ", smtp_require_tls: false").replace("a@x.org, \"B\" <b@x.org>",
                                                                                "{{ .CommonLabels.who }}"))
        daemon.post_alerts({"alertname": "A", "who": "x@y\r\nRCPT TO:<evil@x.org>"})
        wait_until(lambda: self.rows(daemon), "an attempt")
        self.assertEqual(self.rows(daemon)[0][0], "failed")
        self.assertIn("parse 'to' addresses: mail: ", self.rows(daemon)[0][1])
        stays(lambda: not self.box.mails, "no mail", 1)

    def test_the_same_mail_as_alertmanager(self):
        server = self.server(auth_require_tls=False)
        text = config(server, ", smtp_require_tls: false",
                      ", headers: {X-Foo: 'bé {{ .Status }}', subject: '{{ .CommonLabels.s }}'}, "
                      "text: 'é {{ .CommonLabels.s }} {{ .CommonLabels.long }}', "
                      "html: '<a href=\"{{ .CommonLabels.s }}\">{{ .CommonLabels.s }}</a>'")
        labels = {"alertname": "A", "s": "x = <é> & \"y\"", "long": "word. " * 40}
        seen = []
        for peer in (self.alertmanager(text), self.mlalert(text)):
            before = len(self.box.mails)
            reply = harness.request(peer.port, "POST", "/api/v2/alerts", [{"labels": labels}])
            self.assertEqual(reply.status, 200)
            _, envelope, mail = self.mail(before)
            boundary = mail.get_boundary().encode()
            body = envelope.content.split(b"\r\n\r\n", 1)[1].replace(boundary, b"BOUNDARY")
            headers = {name: value for name, value in mail.items()
                       if name not in ("Message-Id", "Date", "Content-Type")}
            seen.append((headers, sorted(mail.keys()), body, envelope.mail_from, envelope.rcpt_tos,
                         envelope.mail_options))
        self.assertEqual(seen[0], seen[1])


if __name__ == "__main__":
    harness.main()
