//! The webhook function as it is ordinarily written in Rust: lambda_runtime, the AWS SDK,
//! serde_json.
//!
//! It does what the benchmark asks of each function, and no more: it checks the token and the
//! signature, decodes, makes one conditional write of an item with the same keys, payload and
//! members, logs one line, and gives the same answer.

mod delivery;
mod signature;

use std::env;

use aws_config::SdkConfig;
use aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use aws_lambda_events::encodings::Body;
use aws_lambda_events::http::{HeaderMap, HeaderValue, header::CONTENT_TYPE};
use aws_sdk_dynamodb::error::{DisplayErrorContext, SdkError};
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::Utc;
use lambda_runtime::Error;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

pub use delivery::Delivery;

/// What Secrets Manager keeps.
#[derive(Deserialize)]
struct Secret {
    token: String,
    signing_secret: String,
}

/// Answers deliveries.
pub struct Handler {
    pub table: aws_sdk_dynamodb::Client,
    name: String,
    secret: Secret,
    /// Writes the line that every stored delivery has.
    log: fn(&Line),
}

/// What is logged of a delivery.
#[derive(Serialize)]
pub struct Line<'a> {
    pub status: u16,
    #[serde(rename = "type")]
    pub event: &'a str,
    pub kind: &'a str,
    pub key: &'a str,
    pub answer: &'a str,
}

/// The body of a response.
#[derive(Default, Serialize)]
struct Answer<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    status: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    key: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    error: &'a str,
}

impl Handler {
    /// Makes the clients and reads the secret.
    pub async fn new(config: &SdkConfig, log: fn(&Line)) -> Result<Self, Error> {
        let table = aws_sdk_dynamodb::Client::new(config);
        let secret = aws_sdk_secretsmanager::Client::new(config)
            .get_secret_value()
            .secret_id(env::var("SECRET_ARN")?)
            .send()
            .await?;
        let secret: Secret = serde_json::from_str(secret.secret_string().unwrap_or_default())?;
        if secret.token.is_empty() || secret.signing_secret.is_empty() {
            return Err("the secret has no token or no signing_secret".into());
        }
        Ok(Self {
            table,
            name: env::var("TABLE_NAME")?,
            secret,
            log,
        })
    }

    /// Answers one delivery.
    pub async fn handle(
        &self,
        request: ApiGatewayV2httpRequest,
    ) -> Result<ApiGatewayV2httpResponse, Error> {
        let token = request
            .path_parameters
            .get("token")
            .map(String::as_str)
            .unwrap_or_default();
        if !bool::from(token.as_bytes().ct_eq(self.secret.token.as_bytes())) {
            return refuse(401, "unauthorized");
        }
        let mut body = request.body.unwrap_or_default();
        if request.is_base64_encoded {
            let Some(decoded) = STANDARD
                .decode(&body)
                .ok()
                .and_then(|b| String::from_utf8(b).ok())
            else {
                return refuse(400, "body is not base64");
            };
            body = decoded;
        }
        let Some(delivery) = Delivery::decode(body) else {
            return refuse(400, "not a JSON object with a type and data");
        };
        if delivery.format == delivery::FORMAT_B {
            let url = format!(
                "https://{}{}",
                request
                    .request_context
                    .domain_name
                    .as_deref()
                    .unwrap_or_default(),
                request.raw_path.as_deref().unwrap_or_default(),
            );
            if !signature::verify(
                &self.secret.signing_secret,
                &url,
                &delivery.event,
                &request.headers,
                Utc::now(),
            ) {
                return refuse(401, "unauthorized");
            }
        }
        self.store(delivery).await
    }

    async fn store(&self, delivery: Delivery) -> Result<ApiGatewayV2httpResponse, Error> {
        let (event, kind, key) = (
            delivery.event.clone(),
            delivery.kind(),
            delivery.partition(),
        );
        let Some(item) = delivery.into_item() else {
            return refuse(400, "no time of the event");
        };
        let written = self
            .table
            .put_item()
            .table_name(&self.name)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(PK)")
            .send()
            .await;
        let answer = match written {
            Ok(_) => "stored",
            Err(SdkError::ServiceError(e))
                if matches!(e.err(), PutItemError::ConditionalCheckFailedException(_)) =>
            {
                "duplicate"
            }
            Err(error) => {
                tracing::error!(error = %DisplayErrorContext(&error), "delivery failed");
                return refuse(503, "try again later");
            }
        };
        (self.log)(&Line {
            status: 200,
            event: &event,
            kind,
            key: &key,
            answer,
        });
        respond(
            200,
            &Answer {
                status: answer,
                key: &key,
                ..Answer::default()
            },
        )
    }
}

fn refuse(status: i64, error: &str) -> Result<ApiGatewayV2httpResponse, Error> {
    respond(
        status,
        &Answer {
            error,
            ..Answer::default()
        },
    )
}

fn respond(status: i64, answer: &Answer) -> Result<ApiGatewayV2httpResponse, Error> {
    let mut headers = HeaderMap::with_capacity(1);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let mut response = ApiGatewayV2httpResponse::default();
    response.status_code = status;
    response.headers = headers;
    response.body = Some(Body::Text(serde_json::to_string(answer)?));
    Ok(response)
}
