"""TLS over connections of the simulated network: OpenSSL at both ends, no socket and no file.

pyOpenSSL takes keys from memory, hands out the whole chain that a peer has shown, and leaves the
judgement of it to `nodes.network.x509`. A connection is closed without a goodbye: HTTP knows by
itself where its messages end.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID
from OpenSSL import SSL

from nodes.network.fabric import Handler
from nodes.network.stream import BUFFER, Address, Stream
from nodes.network.x509 import CertificateError, verify

# A TLS record holds this much.
_RECORD = 16 * 1024
_HANDSHAKE = 0x16
# Bits, as in Go. To sign takes 35 ms with such a key, and nobody else is served meanwhile.
LARGEST_RSA = 8192
PLAIN_HTTP = b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"
_KEYS = (rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey, ed25519.Ed25519PrivateKey)
PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


class TLSError(OSError):
    """No connection came about; the text is what Go's client says."""


class KeyPair:
    """A certificate with its chain, and the private key; both PEM, as a Secret holds them."""

    @classmethod
    def self_signed(cls, name: str, now: datetime) -> KeyPair:
        """Make a pair that nobody has signed for: what servers do that are given none."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(days=365))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
            .sign(key, hashes.SHA256())
        )
        private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        return cls(certificate.public_bytes(serialization.Encoding.PEM), private)

    def __init__(self, certificate: bytes, key: bytes) -> None:
        """Read a pair. Raises ValueError, in the words of Go's tls.X509KeyPair.

        That the numbers of an RSA key are prime is not checked, which takes seconds.
        """
        if b"-----BEGIN CERTIFICATE-----" not in certificate:
            raise ValueError("tls: failed to find any PEM data in certificate input")
        if b"-----BEGIN" not in key:
            raise ValueError("tls: failed to find any PEM data in key input")
        try:
            self.chain = x509.load_pem_x509_certificates(certificate)
            loaded = serialization.load_pem_private_key(
                key, password=None, unsafe_skip_rsa_key_validation=True
            )
        except (ValueError, TypeError) as error:
            raise ValueError(f"tls: failed to parse private key: {error}") from None
        if not isinstance(loaded, _KEYS):
            raise ValueError("tls: failed to parse private key")  # noqa: TRY004 - as for the rest
        if isinstance(loaded, rsa.RSAPrivateKey) and loaded.key_size > LARGEST_RSA:
            raise ValueError(f"tls: RSA key larger than {LARGEST_RSA} bits")
        if loaded.public_key() != self.chain[0].public_key():
            raise ValueError("tls: private key does not match public key")
        self.key: PrivateKey = loaded

    def install(self, context: SSL.Context) -> None:
        """Let a context show this certificate."""
        leaf, *others = self.chain
        context.use_certificate(leaf)
        for other in others:
            context.add_extra_chain_cert(other)
        context.use_privatekey(self.key)


@dataclass(frozen=True)
class Trust:
    """What a client demands of a server, and what it shows of itself.

    `name` is asked for, and looked for in the certificate; `insecure` takes any certificate.
    """

    roots: Sequence[x509.Certificate] = ()
    name: str = ""
    insecure: bool = False
    pair: KeyPair | None = None

    @cached_property
    def context(self) -> SSL.Context:
        made = SSL.Context(SSL.TLS_CLIENT_METHOD)
        made.set_verify(SSL.VERIFY_NONE, _accept)
        if self.pair is not None:
            self.pair.install(made)
        return made


INSECURE = Trust(insecure=True)


def read_bundle(pem: bytes) -> list[x509.Certificate]:
    """Return the certificates of a CA bundle. Raises ValueError, in Kubernetes' words."""
    try:
        return x509.load_pem_x509_certificates(pem)
    except ValueError:
        why = "unable to load root certificates: unable to parse bytes as PEM block"
        raise ValueError(why) from None


def _accept(*args: object) -> bool:
    """Let the handshake go on: certificates are judged after it."""
    del args
    return True


class TLSStream:
    """One end of a connection under TLS; keeps ByteStream."""

    def __init__(self, stream: Stream, connection: SSL.Connection, first: bytes = b"") -> None:
        self._stream, self._tls = stream, connection
        self._first = first
        if first:
            connection.bio_write(first)

    @property
    def remote(self) -> Address:
        return self._stream.remote

    @property
    def local(self) -> Address:
        return self._stream.local

    @property
    def chain(self) -> list[x509.Certificate]:
        """The certificates that the peer has shown, its own first."""
        leaf = self._tls.get_peer_certificate(as_cryptography=True)
        shown = self._tls.get_peer_cert_chain(as_cryptography=True) or []
        # A server's view of the chain leaves the client's own certificate out.
        return ([] if leaf is None or leaf in shown else [leaf]) + list(shown)

    async def handshake(self) -> None:
        """Agree on keys. Raises TLSError, EOFError."""
        while True:
            try:
                self._tls.do_handshake()
            except SSL.WantReadError:
                await self._flush()
                await self._fill()
            except SSL.Error as error:
                await self._flush()
                raise TLSError(_said(error)) from None
            else:
                await self._flush()
                return

    async def read(self, limit: int = BUFFER) -> bytes:
        while True:
            try:
                return self._tls.recv(limit)
            except SSL.WantReadError:
                await self._flush()
                data = await self._stream.read()
                if not data:
                    return b""
                self._tls.bio_write(data)
            except SSL.ZeroReturnError:
                return b""
            except SSL.Error as error:
                raise ConnectionResetError(_said(error)) from None

    async def write(self, data: bytes) -> None:
        view = memoryview(data)
        try:
            for start in range(0, len(data), _RECORD):
                self._tls.sendall(view[start : start + _RECORD])
                await self._flush()
        except SSL.Error as error:
            raise BrokenPipeError(_said(error)) from None

    def close_write(self) -> None:
        self._stream.close_write()

    def close(self) -> None:
        self._stream.close()

    async def _flush(self) -> None:
        while True:
            try:
                data = self._tls.bio_read(BUFFER)
            except SSL.WantReadError:
                return
            await self._stream.write(data)

    async def _fill(self) -> None:
        data = await self._stream.read()
        if not data:
            raise EOFError
        if not self._first:
            self._first = data[:8]
            if data.startswith(b"HTTP/"):
                raise TLSError("http: server gave HTTP response to HTTPS client")
            if data[0] != _HANDSHAKE and data[0] != 0x15:
                raise TLSError("tls: first record does not look like a TLS handshake")
        self._tls.bio_write(data)


async def open_tls(stream: Stream, trust: Trust, now: datetime) -> TLSStream:
    """Make a client's end of a connection safe. Raises TLSError; the stream is the caller's."""
    connection = SSL.Connection(trust.context, None)
    connection.set_connect_state()
    if trust.name:
        connection.set_tlsext_host_name(trust.name.encode("idna"))
    made = TLSStream(stream, connection)
    try:
        await made.handshake()
    except EOFError:
        raise TLSError("EOF") from None
    if not trust.insecure:
        try:
            verify(made.chain, trust.roots, now, name=trust.name)
        except CertificateError as error:
            raise TLSError(f"tls: failed to verify certificate: {error}") from None
    return made


SecureHandler = Callable[[TLSStream], Awaitable[None]]
PlainHandler = Callable[[Stream, bytes], Awaitable[None]]


def serve_tls(
    handler: SecureHandler,
    pair: KeyPair | Callable[[], KeyPair],
    *,
    ask_client: bool = False,
    plain: bytes | PlainHandler = PLAIN_HTTP,
    failed: Callable[[Address, str], None] | None = None,
) -> Handler:
    """Return the handler of a listener that speaks TLS.

    A `pair` that has to be made is made for the first client. `ask_client` asks clients for a
    certificate, which the handler judges. `plain` is said to who speaks without TLS, or takes the
    connection and what was read of it. `failed` is told which client broke off, and why.
    """
    contexts: list[SSL.Context] = []

    def context() -> SSL.Context:
        if not contexts:
            made = SSL.Context(SSL.TLS_SERVER_METHOD)
            (pair if isinstance(pair, KeyPair) else pair()).install(made)
            made.set_verify(SSL.VERIFY_PEER if ask_client else SSL.VERIFY_NONE, _accept)
            made.set_session_id(b"kubeground")
            contexts.append(made)
        return contexts[0]

    async def serve(stream: Stream) -> None:
        first = await stream.read()
        if not first:
            return
        if first[0] != _HANDSHAKE:
            if isinstance(plain, bytes):
                await stream.write(plain)
            else:
                await plain(stream, first)
            return
        connection = SSL.Connection(context(), None)
        connection.set_accept_state()
        made = TLSStream(stream, connection, first)
        try:
            await made.handshake()
        except (TLSError, EOFError) as error:
            if failed is not None:
                failed(stream.remote, str(error) or "EOF")
            return
        await handler(made)

    return serve


_ALERTS = {
    "unknown ca": "remote error: tls: unknown certificate authority",
    "bad certificate": "remote error: tls: bad certificate",
    "handshake failure": "remote error: tls: handshake failure",
    "certificate required": "remote error: tls: certificate required",
    "protocol version": "remote error: tls: protocol version not supported",
}


def _said(error: SSL.Error) -> str:
    """Return what Go says of an error of OpenSSL's."""
    reasons = [part[-1] for part in error.args[0]] if error.args and error.args[0] else []
    text = str(reasons[-1]) if reasons and isinstance(reasons[-1], str) else "internal error"
    return next((said for word, said in _ALERTS.items() if word in text), f"tls: {text}")
