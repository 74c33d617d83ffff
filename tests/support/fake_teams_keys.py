"""The keys with which the fake Teams signs what it brings to a bot, and tokens of every kind, genuine and forged."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from itertools import count
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

ISSUER = "https://api.botframework.com"


@dataclass(frozen=True)
class SigningKey:
    """A key with its name in the list of keys."""

    kid: str
    private: rsa.RSAPrivateKey

    @property
    def public_pem(self) -> bytes:
        return self.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def as_jwk(self) -> dict[str, Any]:
        told: dict[str, Any] = jwt.algorithms.RSAAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
        told.pop("key_ops", None)
        return {**told, "use": "sig", "kid": self.kid, "x5t": self.kid, "endorsements": ["msteams"]}


@cache
def _generated(number: int) -> SigningKey:
    """Made once in a process: it takes a while."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return SigningKey(f"fake-teams-key-{number}", private)


class Keys:
    """The published keys, newest last; the last one signs. status: of the answers with the keys, 200 for the keys."""

    def __init__(self) -> None:
        self._numbers = count(1)
        self.published = [_generated(next(self._numbers))]
        self.status = 200
        self.delay = 0.0

    @property
    def current(self) -> SigningKey:
        return self.published[-1]

    def rotate(self, *, keep: bool = False) -> SigningKey:
        """Sign with a new key; the old ones are no longer published, unless kept."""
        fresh = _generated(next(self._numbers))
        self.published = [*self.published, fresh] if keep else [fresh]
        return fresh

    def foreign(self) -> SigningKey:
        """A key that was never published, under the name of the current one."""
        return SigningKey(self.current.kid, _generated(0).private)

    def as_jwks(self) -> dict[str, Any]:
        return {"keys": [one.as_jwk() for one in self.published]}


def signed(claims: Mapping[str, Any], key: SigningKey, algorithm: str, headers: Mapping[str, Any]) -> str:
    """A token. algorithm: `RS256` and its like; `none`: without a signature; `HS256`: with the public key as secret."""
    told = {"kid": key.kid, "x5t": key.kid, **headers}
    given = {name: value for name, value in told.items() if value is not None}
    if algorithm.startswith("RS"):
        return jwt.encode(dict(claims), key.private, algorithm, given)
    head = {"typ": "JWT", "alg": algorithm, **given}
    text = ".".join(_base64(json.dumps(part).encode()) for part in (head, dict(claims)))
    digest = hmac.new(key.public_pem, text.encode(), hashlib.sha256).digest() if algorithm == "HS256" else b""
    return f"{text}.{_base64(digest)}"


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
