"""A second mail server, of another make: Exim, TLS at `port`, STARTTLS at `starttls_port`. Only root can start it (it
changes to a user of its own); what it takes is in mails()."""
import os
import pwd
import shutil
import tempfile
from pathlib import Path

from .certificates import Authority
from .process import Process, connects, free_port
from .smtp import PASSWORD, USER, Mail

PROGRAM = "/usr/sbin/exim4"
ACCOUNT = "Debian-exim"

CONFIG = """
spool_directory = {folder}/spool
log_file_path = {folder}/log-%s
process_log_path = {folder}/process
pid_file_path = {folder}/pid
primary_hostname = smtp.mailgun.org
local_interfaces = 127.0.0.1
daemon_smtp_ports = {port} : {starttls_port}
tls_on_connect_ports = {port}
tls_certificate = {chain}
tls_privatekey = {key}
tls_advertise_hosts = *
auth_advertise_hosts = ${{if eq{{$tls_in_cipher}}{{}}{{}}{{*}}}}
acl_smtp_mail = mail
acl_smtp_rcpt = rcpt
acl_smtp_data = data
queue_only = false
keep_environment =
begin acl
mail:
  accept authenticated = *
  deny message = authentication required
rcpt:
  deny local_parts = nobody
       message = 5.1.1 No such user here
  defer local_parts = later
        message = 4.2.0 Greylisted
  accept
data:
  deny condition = ${{if eq{{$h_subject:}}{{spam}}}}
       message = 5.7.1 Looks like spam
  accept
begin routers
all:
  driver = accept
  transport = file
begin transports
file:
  driver = appendfile
  directory = {folder}/mails
  create_directory
  user = {account}
  envelope_to_add
  return_path_add
  mailstore_format = false
  maildir_format
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_condition = ${{if and{{{{eq{{$auth2}}{{{user}}}}}{{eq{{$auth3}}{{{password}}}}}}}}}
  server_set_id = $auth2
login:
  driver = plaintext
  public_name = LOGIN
  server_prompts = Username:: : Password::
  server_condition = ${{if and{{{{eq{{$auth1}}{{{user}}}}}{{eq{{$auth2}}{{{password}}}}}}}}}
  server_set_id = $auth1
"""


def available():
    return os.geteuid() == 0 and os.path.exists(PROGRAM)


class Exim:
    def __init__(self, authority: Authority):
        self.folder = Path(tempfile.mkdtemp())  # pytest's own folders are closed to other users
        account = pwd.getpwnam(ACCOUNT)
        issued = authority.issue("smtp.mailgun.org")
        chain, key = (shutil.copy(f, self.folder) for f in issued)
        self.port, self.starttls_port = free_port(), free_port()
        (self.folder / "config").write_text(CONFIG.format(folder=self.folder, port=self.port, starttls_port=self.starttls_port, chain=chain,
                                                          key=key, account=ACCOUNT, user=USER, password=PASSWORD))
        for path in (self.folder, *self.folder.iterdir()):
            os.chown(path, account.pw_uid, account.pw_gid)
        os.chown(self.folder / "config", 0, 0)

    def __enter__(self):
        self.process = Process([PROGRAM, "-C", self.folder / "config", "-bdf", "-q1h"], self.folder / "out")
        self.process.wait_ready(lambda: connects(self.starttls_port), 10, "exim")
        return self

    def __exit__(self, *_):
        self.process.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def resolve_options(self):
        return ["--resolve", f"smtp.mailgun.org:465=127.0.0.1:{self.port}", "--resolve", f"smtp.mailgun.org:587=127.0.0.1:{self.starttls_port}"]

    def mails(self):
        """Those delivered so far; Exim adds Return-path, Envelope-to and Received on top, and stores lines with LF alone."""
        found = []
        for file in sorted((self.folder / "mails" / "new").glob("*")):
            raw = file.read_bytes().replace(b"\n", b"\r\n")
            mail = Mail(None, [], raw)
            mail.sender, mail.recipients = mail.message["return-path"].strip("<>"), mail.message["envelope-to"].split(", ")
            found.append(mail)
        return found
