use aws_lambda_events::http::HeaderMap;
use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::Sha256;

/// How old a signature may be, and how far ahead of our clock.
const MAX_AGE: TimeDelta = TimeDelta::hours(3);
const MAX_AHEAD: TimeDelta = TimeDelta::minutes(5);

/// What encodeURIComponent escapes.
const COMPONENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'!')
    .remove(b'~')
    .remove(b'*')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')');

/// Checks format B's signature.
pub fn verify(
    secret: &str,
    url: &str,
    event: &str,
    headers: &HeaderMap,
    now: DateTime<Utc>,
) -> bool {
    let header = |name| {
        headers
            .get(name)
            .and_then(|v| v.to_str().ok())
            .unwrap_or_default()
    };
    let timestamp = header("x-justcall-request-timestamp");
    let Ok(at) = NaiveDateTime::parse_from_str(timestamp, "%Y-%m-%d %H:%M:%S") else {
        return false;
    };
    let age = now - at.and_utc();
    if age > MAX_AGE || age < -MAX_AHEAD {
        return false;
    }
    let Ok(given) = hex::decode(header("x-justcall-signature")) else {
        return false;
    };
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else {
        return false;
    };
    mac.update(
        format!(
            "{secret}|{}|{event}|{timestamp}",
            utf8_percent_encode(url, COMPONENT)
        )
        .as_bytes(),
    );
    mac.verify_slice(&given).is_ok()
}
