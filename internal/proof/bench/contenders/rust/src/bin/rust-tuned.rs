//! The same handler with what is easily tuned: tokio on the one thread, one line of JSON written
//! by hand in place of tracing's subscriber and its spans, credentials and region from the
//! environment only, and the connection to the table opened during init.

use std::io::Write;

use aws_config::BehaviorVersion;
use aws_config::environment::credentials::EnvironmentVariableCredentialsProvider;
use aws_config::environment::region::EnvironmentVariableRegionProvider;
use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{SecondsFormat, Utc};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde::Serialize;
use webhook::{Handler, Line};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let config = aws_config::defaults(BehaviorVersion::latest())
        .credentials_provider(EnvironmentVariableCredentialsProvider::new())
        .region(EnvironmentVariableRegionProvider::new())
        .load()
        .await;
    let handler = Handler::new(&config, log).await?;
    warm(&handler).await;
    let handler = &handler;
    lambda_runtime::run(service_fn(
        move |event: LambdaEvent<ApiGatewayV2httpRequest>| async move {
            handler.handle(event.payload).await
        },
    ))
    .await
}

/// Opens a connection to the table, with a read of what is not there.
async fn warm(handler: &Handler) {
    let none = || AttributeValue::S("-".to_owned());
    let _ = handler
        .table
        .get_item()
        .table_name(std::env::var("TABLE_NAME").unwrap_or_default())
        .key("PK", none())
        .key("SK", none())
        .send()
        .await;
}

fn log(line: &Line) {
    #[derive(Serialize)]
    struct Record<'a> {
        time: String,
        level: &'a str,
        msg: &'a str,
        #[serde(flatten)]
        line: &'a Line<'a>,
    }
    let record = Record {
        time: Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true),
        level: "INFO",
        msg: "delivery answered",
        line,
    };
    if let Ok(mut text) = serde_json::to_vec(&record) {
        text.push(b'\n');
        let _ = std::io::stdout().lock().write_all(&text);
    }
}
