"""TLS towards the broker: the context, and plain words for what OpenSSL says."""

from __future__ import annotations

import ssl

from gateway.ports import ConfigError
from gateway.uplink import credentials
from gateway.uplink.settings import TlsSettings

NAMES: tuple[tuple[str, str], ...] = (
    ("CERTIFICATE_REQUIRED", "the broker demands a client certificate: set mqtt.tls.certificate"),
    ("UNKNOWN_CA", "the broker does not trust the CA of our client certificate"),
    ("CERTIFICATE_EXPIRED", "the broker holds our client certificate for expired"),
    ("CERTIFICATE_REVOKED", "the broker holds our client certificate for revoked"),
    ("BAD_CERTIFICATE", "the broker refused our client certificate"),
    ("CERTIFICATE_UNKNOWN", "the broker refused our client certificate"),
    ("HANDSHAKE_FAILURE", "the broker refused the handshake: no common cipher or certificate"),
    ("WRONG_VERSION_NUMBER", "the port does not speak TLS: check mqtt.port and mqtt.tls"),
    ("UNEXPECTED_EOF", "the peer hung up in the handshake: does the port speak TLS?"),
)
"""Marks in OpenSSL's messages, and what they mean here. The first that fits counts."""


def context(settings: TlsSettings) -> ssl.SSLContext:
    """A context that verifies the broker, with our certificate if there is one; ConfigError."""
    if (settings.certificate is None) != (settings.key is None):
        raise ConfigError("mqtt.tls: certificate and key belong together")
    ca = None if settings.ca is None else str(credentials.find(settings.ca))
    try:
        made = ssl.create_default_context(cafile=ca)
        made.minimum_version = ssl.TLSVersion.TLSv1_2
        if settings.certificate is not None and settings.key is not None:
            made.load_cert_chain(
                credentials.find(settings.certificate), credentials.find(settings.key)
            )
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"mqtt.tls: the certificate files do not load: {error}") from error
    return made


def name_failure(text: str) -> str | None:
    """What an OpenSSL message means, or None if it is none that we know."""
    upper = text.upper().replace(" ", "_")
    return next((meaning for mark, meaning in NAMES if mark in upper), None)


def name_error(error: Exception) -> str:
    """What a failed connect means, in the words of the person who must mend it."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the broker's certificate does not hold: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return name_failure(str(error)) or f"TLS failed: {error}"
    if isinstance(error, ConnectionResetError):
        return "the peer hung up at once: does mqtt.tls fit to the port?"
    return str(error) or type(error).__name__
