use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, NaiveDateTime, SecondsFormat, Utc};
use serde::Deserialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// The wire formats.
pub const FORMAT_A: &str = "A";
pub const FORMAT_B: &str = "B";

/// A body in either wire format.
pub struct Delivery {
    pub format: &'static str,
    pub event: String,
    timestamp: Option<String>,
    data: Map<String, Value>,
    body: String,
}

#[derive(Deserialize)]
struct Envelope {
    event: Option<String>,
    timestamp: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    data: Map<String, Value>,
}

impl Delivery {
    pub fn decode(body: String) -> Option<Self> {
        let e: Envelope = serde_json::from_str(&body).ok()?;
        let (format, event) = match e.event.filter(|name| !name.is_empty()) {
            Some(event) => (FORMAT_A, event),
            None => (FORMAT_B, e.kind.unwrap_or_default()),
        };
        if event.is_empty() || e.data.is_empty() {
            return None;
        }
        Some(Self {
            format,
            event,
            timestamp: e.timestamp,
            data: e.data,
            body,
        })
    }

    /// What is stored: the keys, the payload and the data's members. None without a time.
    pub fn into_item(self) -> Option<HashMap<String, AttributeValue>> {
        let at = self
            .occurred_at()?
            .to_rfc3339_opts(SecondsFormat::Millis, true);
        let digest = self.digest()?;
        let (key, kind, phone) = (self.partition(), self.kind(), self.phone());
        let mut item = HashMap::with_capacity(self.data.len() + 6);
        for (name, value) in self.data {
            if !value.is_null() {
                item.insert(name, attribute(value));
            }
        }
        let mut set = |name: &str, value: String| {
            item.insert(name.to_owned(), AttributeValue::S(value));
        };
        if !phone.is_empty() {
            set("GSI1PK", format!("PHONE#{phone}"));
        }
        if kind == "missed_call" || kind == "voicemail" {
            set(
                "GSI2PK",
                format!(
                    "ALERT#{}#{}",
                    &at[..10],
                    crc32fast::hash(key.as_bytes()) % 4
                ),
            );
        }
        set("PK", key);
        set("SK", format!("EVENT#{at}#{}#{digest}", self.event));
        set("occurred_at", at);
        set("payload", self.body);
        Some(item)
    }

    fn occurred_at(&self) -> Option<DateTime<Utc>> {
        if self.format == FORMAT_A {
            let at = DateTime::parse_from_rfc3339(self.timestamp.as_deref()?).ok()?;
            return Some(at.with_timezone(&Utc));
        }
        [("call_date", "call_time"), ("sms_date", "sms_time")]
            .into_iter()
            .find_map(|(date, clock)| {
                let (date, clock) = (
                    self.data.get(date)?.as_str()?,
                    self.data.get(clock)?.as_str()?,
                );
                Some(
                    NaiveDateTime::parse_from_str(&format!("{date} {clock}"), "%Y-%m-%d %H:%M:%S")
                        .ok()?
                        .and_utc(),
                )
            })
    }

    /// Hashes the data in canonical form, so that a redelivery gets the same key. A map of
    /// serde_json is in order.
    fn digest(&self) -> Option<String> {
        Some(hex::encode(
            &Sha256::digest(serde_json::to_vec(&self.data).ok()?)[..8],
        ))
    }

    fn family(&self) -> &str {
        self.event.split('.').next().unwrap_or_default()
    }

    pub fn partition(&self) -> String {
        let id = self.id();
        let prefix = match self.family() {
            _ if id.is_empty() => "",
            "call" | "voicemail" => "CALL",
            "sms" => "MESSAGE",
            "contact" => "CONTACT",
            _ => "",
        };
        if prefix.is_empty() {
            format!("EVENT#{}", self.event)
        } else {
            format!("{prefix}#{id}")
        }
    }

    fn id(&self) -> String {
        ["call_id", "call_sid", "message_id", "contact_id", "id"]
            .into_iter()
            .map(|name| self.text(name))
            .find(|id| !id.is_empty())
            .unwrap_or_default()
    }

    pub fn kind(&self) -> &'static str {
        let outcome = self
            .data
            .get("call_info")
            .and_then(|info| info["type"].as_str())
            .unwrap_or_default();
        match self.family() {
            "voicemail" => "voicemail",
            _ if self.event == "call.voicemail" || outcome.eq_ignore_ascii_case("voicemail") => {
                "voicemail"
            }
            _ if self.event == "call.missed" || outcome.eq_ignore_ascii_case("missed") => {
                "missed_call"
            }
            "call" => "call",
            "contact" => "contact",
            "sms" => "message",
            _ => "unknown",
        }
    }

    /// The number of the outside party, as + and digits.
    fn phone(&self) -> String {
        let outbound = self.text("direction") == "outbound"
            || matches!(self.event.as_str(), "sms.sent" | "sms.delivered");
        let number = [
            "contact_number",
            "phone",
            if outbound { "to" } else { "from" },
        ]
        .into_iter()
        .map(|name| self.text(name))
        .find(|number| !number.is_empty())
        .unwrap_or_default();
        let digits: String = number.chars().filter(char::is_ascii_digit).collect();
        if digits.is_empty() {
            digits
        } else {
            format!("+{digits}")
        }
    }

    /// A member of the data as text; ids arrive as a string or a number.
    fn text(&self, name: &str) -> String {
        match self.data.get(name) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            _ => String::new(),
        }
    }
}

fn attribute(value: Value) -> AttributeValue {
    match value {
        Value::Null => AttributeValue::Null(true),
        Value::Bool(b) => AttributeValue::Bool(b),
        Value::Number(n) => AttributeValue::N(n.to_string()),
        Value::String(s) => AttributeValue::S(s),
        Value::Array(all) => AttributeValue::L(all.into_iter().map(attribute).collect()),
        Value::Object(all) => AttributeValue::M(
            all.into_iter()
                .map(|(name, v)| (name, attribute(v)))
                .collect(),
        ),
    }
}
