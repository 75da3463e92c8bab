"""The texts of `redaction.py`: leaks and innocents, in an open half and one that is held out.

The shapes of tokens come from their services' documentation and from the public rule sets that list
them, the innocents' from the configurations and outputs of public projects. No file holds anything
that looks like a token: each value is made when it is asked for.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
import shlex
import string
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

Half = Literal["open", "held out"]
FOLDER = Path(__file__).parent
DRAWS = 5
"""Values made for each text: a rule that a token passes one time in five is no rule."""

WINDOW = 8
"""So many characters of a secret that are left in a row are a leak, or all of a shorter one."""

ALPHABETS = {
    "an": string.ascii_letters + string.digits,
    "hex": "0123456789abcdef",
    "up": string.ascii_uppercase + string.digits,
    "b32": string.ascii_uppercase + "234567",
    "bech": "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L",
    "low": string.ascii_lowercase + string.digits,
    "dig": string.digits,
    "let": string.ascii_letters,
    "url": string.ascii_letters + string.digits + "-_",
    "b64": string.ascii_letters + string.digits + "+/",
    "sym": string.ascii_letters + string.digits + "!#$%&*+-=?@^_~",
}
KINDS = {
    "github": "ghp_ an*36",
    "github_pat": "github_pat_ an*22 _ an*59",
    "gitlab": "glpat- url*20",
    "gitlab_runner": "glrt- url*20",
    "gitlab_deploy": "gldt- url*20",
    "gitlab_trigger": "glptt- hex*40",
    "aws_id": "AKIA b32*16",
    "aws_sts": "ASIA b32*16",
    "aws_secret": "b64*40",
    "google_api": "AIza url*35",
    "google_oauth": "ya29. url*60",
    "google_client": "GOCSPX- url*28",
    "azure_storage": "b64*86 ==",
    "azure_client": "an*3 8Q~ url*34",
    "azure_devops": "low*52",
    "sas": "an*42 %3D",
    "slack_bot": "xoxb- dig*12 - dig*13 - an*24",
    "slack_app": "xapp-1- up*11 - dig*13 - hex*64",
    "stripe_live": "sk_live_ an*24",
    "stripe_restricted": "rk_live_ an*99",
    "stripe_hook": "whsec_ an*32",
    "huggingface": "hf_ let*34",
    "wandb_v1": "wandb_v1_ an*70",
    "openai": "sk- an*20 T3BlbkFJ an*20",
    "openai_project": "sk-proj- url*74 T3BlbkFJ url*74",
    "openai_service": "sk-svcacct- url*60",
    "anthropic": "sk-ant-api03- url*93 AA",
    "npm": "npm_ an*36",
    "pypi": "pypi-AgEIcHlwaS5vcmc url*90",
    "sendgrid": "SG. url*22 . url*43",
    "twilio_key": "SK hex*32",
    "telegram": "dig*10 :AA url*33",
    "discord": "M an*23 . url*6 . url*38",
    "jwt": "eyJhbGciOiJIUzI1NiJ9.eyJ an*40 . url*43",
    "jwt_like": "eyJ an*120",
    "age": "AGE-SECRET-KEY-1 bech*58",
    "databricks": "dapi hex*32",
    "digitalocean": "dop_v1_ hex*64",
    "vault": "hvs. url*90",
    "replicate": "r8_ an*37",
    "groq": "gsk_ an*52",
    "nvidia": "nvapi- url*64",
    "pulumi": "pul- hex*40",
    "doppler": "dp.pt. an*43",
    "linear": "lin_api_ an*40",
    "notion": "ntn_ dig*11 an*35",
    "shopify": "shpat_ hex*32",
    "square": "sq0atp- url*22",
    "mailgun": "key- hex*32",
    "mailchimp": "hex*32 -us12",
    "airtable": "pat an*14 . hex*64",
    "postman": "PMAK- hex*24 - hex*34",
    "grafana": "glsa_ an*32 _ hex*8",
    "newrelic": "NRAK- up*27",
    "sentry": "sntrys_eyJ an*60 _ an*43",
    "docker": "dckr_pat_ url*27",
    "flyio": "fo1_ url*43",
    "planetscale": "pscale_tkn_ url*43",
    "rubygems": "rubygems_ hex*48",
    "xai": "xai- an*80",
    "perplexity": "pplx- hex*48",
    "license": "up*5 - up*5 - up*5 - up*5",
    "django": "sym*50",
    "long_b64": "b64*200",
    "b64_20": "b64*20",
    "b64_44": "b64*43 =",
    "pw_url": "sym*0 an*12",
}
"""Each kind as its pieces: literal ones, and random ones as ALPHABET*LENGTH."""

_PIECE = re.compile(r"(\w+)\*(\d+)")
_SHORT = re.compile(r"(an|hex|up|low|dig|url)_?(\d+)")
_PLACE = re.compile("«(\\w+)»")
_SYLLABLES = ("bor", "dan", "fel", "gim", "hor", "kal", "lun", "mir", "nos", "pek", "rud", "sol")


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One text of the corpus: `secrets` are the pieces that must not be left of it."""

    group: str
    place: str
    template: str
    text: str
    secrets: tuple[str, ...]

    @property
    def half(self) -> Half:
        """The half of its group; a group's entries are never apart."""
        is_even = hashlib.sha256(self.group.encode()).digest()[0] % 2 == 0
        return "open" if is_even else "held out"

    def content(self) -> Any:
        """Return what the gate is given: a mapping, a list of arguments, or the text."""
        if self.place == "config":
            return json.loads(self.text)
        return shlex.split(self.text) if self.place == "arguments" else self.text

    def is_left_in(self, shown: str) -> bool:
        """Say whether enough of a secret is left to be of use."""
        return any(
            secret[start : start + WINDOW] in shown
            for secret in self.secrets
            for start in range(max(1, len(secret) - WINDOW + 1))
        )


def entries(name: Literal["leaks", "innocents"]) -> Iterator[tuple[Entry, ...]]:
    """Yield each text of the corpus, drawn `DRAWS` times."""
    lines = (FOLDER / f"redaction_{name}.txt").read_text(encoding="utf-8").splitlines()
    for line in lines:
        if not line.startswith("#"):
            group, place, template = line.split(" | ", 2)
            yield tuple(_entry(group, place, template, draw) for draw in range(DRAWS))


def _entry(group: str, place: str, template: str, draw: int) -> Entry:
    source = random.Random(f"{template} {draw}")  # noqa: S311 - examples, not keys
    secrets: list[str] = []

    def made(found: re.Match[str]) -> str:
        pieces = _pieces(found[1], source)
        secrets.extend(piece for piece, is_random in pieces if is_random and len(piece) >= 6)
        return "".join(piece for piece, _ in pieces)

    text = _PLACE.sub(made, template)
    if place == "text":
        text = text.replace(r"\n", "\n")
    return Entry(group=group, place=place, template=template, text=text, secrets=tuple(secrets))


def _pieces(kind: str, source: random.Random) -> list[tuple[str, bool]]:
    """Return a value's pieces, each with whether it was drawn."""
    if kind in {"pw", "weak", "phrase"}:
        return [(_password(kind, source), True)]
    if kind == "uuid":
        return [(str(uuid.UUID(int=source.getrandbits(128), version=4)), True)]
    short = _SHORT.fullmatch(kind)
    spec = KINDS.get(kind) or (f"{short[1]}*{short[2]}" if short else "")
    pieces = []
    for piece in spec.split():
        drawn = _PIECE.fullmatch(piece)
        if drawn is None:
            pieces.append((piece, False))
        else:
            pieces.append(("".join(source.choices(ALPHABETS[drawn[1]], k=int(drawn[2]))), True))
    return pieces


def _password(kind: str, source: random.Random) -> str:
    """Return a password of people: strong with a symbol, weak, or a phrase of words."""
    words = ["".join(source.sample(_SYLLABLES, 2)) for _ in range(3)]
    if kind == "phrase":
        return "-".join(words)
    number = source.randrange(10, 1000)
    if kind == "weak":
        return f"{words[0]}{number}"
    return f"{words[0].capitalize()}{number}{source.choice('!#%&*+?')}{source.choice('abcXYZ')}"
